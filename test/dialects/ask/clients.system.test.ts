import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import en from "../../../locales/en.json" with { type: "json" };
import { OWN_KEY, startScene } from "../../support/scene.ts";
import { outcomeOf, runPythonScript, SCRIPT_MS } from "../../support/scripts.ts";

describe("in Python", { tags: "python", timeout: 2 * SCRIPT_MS }, () => {
  test("a client of before is served on a port of its own, at any path", async () => {
    const { parley } = await startScene({ WS_PORT: "9001" });
    const url = `ws://127.0.0.1:${parley.ports.websocket}`;
    for (const path of ["", "/any/path"]) {
      const args = [url + path];
      const { code, output } = await runPythonScript("test/clients/ask_websocket_old.py", { args });
      expect(output.split("\n")).toEqual([
        "answer> echo: 早上好",
        "answer> echo: it costs $5",
        "answer> echo: other",
        "True True",
        "answer> echo: somebody else",
        "True",
        `failed> <|err|>$${en.error.conversation_not_found}`,
        "<|err|>",
        "",
      ]);
      expect(code).toBe(0);
    }
  });

  test("an older client of HTTP is served with nothing but the address changed", async () => {
    const { parley } = await startScene();
    const args = [parley.origin];
    const { code, output } = await runPythonScript("test/clients/ask_http_old.py", { args });
    expect(output.split("\n").slice(0, 5)).toEqual([
      "200 echo: 你好",
      "200 echo: two",
      "200 echo: three",
      "200 echo: other two",
      "200 echo: somebody else",
    ]);
    expect(output).toMatch(/\n404 \S/);
    expect(code).toBe(0);
  });
});

const sample = fileURLToPath(new URL("../../../examples/ask-websocket.mjs", import.meta.url));

function runSample(env: Readonly<Record<string, string>>) {
  return outcomeOf(spawn(process.execPath, [sample], { env }));
}

describe.concurrent("the sample for WebSocket", { timeout: 2 * SCRIPT_MS }, () => {
  test("streams, and asks two questions at once in two branches", async () => {
    const { parley, upstream } = await startScene({ API_KEY: "" });
    const { code, output } = await runSample({ PARLEY_URL: parley.origin, PARLEY_TOKEN: OWN_KEY });
    expect(output).toBe("echo: Name a fruit.\necho: What color is it?\necho: How does it taste?\n");
    expect(code).toBe(0);
    const lengths = upstream.requests.map(
      ({ json }) => Reflect.get(Object(json), "messages").length,
    );
    expect(lengths).toEqual([1, 3, 3]);
  });

  test("says in words what is wrong", async () => {
    const { parley } = await startScene({ API_KEY: "" });
    const { code, output } = await runSample({ PARLEY_URL: parley.origin });
    expect(output).toContain(en.error.key_missing.replace("{{field}}", "api_key"));
    expect(code).toBe(1);
  });
});
