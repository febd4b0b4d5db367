import { describe, expect, test } from "vitest";
import { resetMidStream } from "../../support/faults.ts";
import { OWN_KEY } from "../../support/scene.ts";
import { runPythonScript, SCRIPT_MS } from "../../support/scripts.ts";
import { createAnswer } from "../../support/upstream.ts";
import { ADMIN_TOKEN, bearer, createCaller, SECRET_KEY, startChats } from "./support.ts";

const old = "test/clients/chats_old.py";
const sample = "examples/chats.py";

describe.concurrent("scripts in Python", { tags: "python", timeout: 2 * SCRIPT_MS }, () => {
  test("an older client finds everything as it was where chats are open", async () => {
    const { origin } = await startChats({ CHATS_ACCESS: "open" });
    const { code, output } = await runPythonScript(old, { args: [origin] });
    expect(output).toMatch(/all> as it was\n$/);
    expect(output).not.toContain("broken>");
    expect(code).toBe(0);
  });

  test("and nothing where they are not", async () => {
    const { origin } = await startChats();
    const { code, output } = await runPythonScript(old, { args: [origin] });
    expect(output).toMatch(/broken> GET \/system before it was set/);
    expect(code).toBe(1);
  });

  test("the sample talks, streams, lists and deletes with a key of its own", async () => {
    const { origin, upstream } = await startChats({ API_KEY: "" });
    const env = { PARLEY_URL: origin, PARLEY_TOKEN: OWN_KEY };
    const { code, output } = await runPythonScript(sample, { env });
    expect(code).toBe(0);
    expect(output).toMatch(
      /^echo: I am in Lisbon.*\necho: And where was I again\?\necho: What shall/,
    );
    expect(output).toContain("system: Answer in one sentence.\nuser: I am in Lisbon");
    expect(output).toMatch(/travel: 6 messages, expires 20\d\d-/);
    const second = JSON.stringify(upstream.requests[1]?.json);
    expect(second).toContain("Lisbon");
    const again = createCaller(origin, bearer(OWN_KEY));
    expect(await again.get("/chats")).toEqual([]);
  });

  test("the sample talks with a token", async () => {
    const { origin, admin } = await startChats({ SECRET_KEY });
    await admin.send("PUT", "/admin/prices/gpt-4o-mini", { input: "0.15", output: "0.6" });
    const issued = await admin.send("POST", "/admin/tokens", { name: "Cid" });
    const { token } = issued.json as { token: string };
    const env = { PARLEY_URL: origin, PARLEY_TOKEN: token };
    const { code, output } = await runPythonScript(sample, { env });
    expect(output).toContain("travel: 6 messages");
    expect(code).toBe(0);
    expect(output).not.toContain(ADMIN_TOKEN);
  });

  test("the sample notices an answer that breaks", async () => {
    const { origin, upstream } = await startChats();
    const whole = createAnswer();
    upstream.behave((request) => (request.serial === 3 ? resetMidStream : whole));
    const env = { PARLEY_URL: origin, PARLEY_TOKEN: OWN_KEY };
    const { code, output } = await runPythonScript(sample, { env });
    expect(code).toBe(1);
    expect(output).toContain("RuntimeError: The OpenAI service");
  });
});
