import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { closeAfterFile } from "../../support/cleanup.ts";
import { ask, askInVain, askStream } from "../../support/envelope.ts";
import { resetMidStream, stallMidStream } from "../../support/faults.ts";
import { deadline, openStream, postJson } from "../../support/http.ts";
import { startNginx } from "../../support/nginx.ts";
import { OWN_KEY, startScene } from "../../support/scene.ts";
import { runPythonScript, SCRIPT_MS } from "../../support/scripts.ts";
import { connect, connectInVain, readText } from "../../support/websocket.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

const scripts: [string, readonly string[], RegExp][] = [
  ["envelope_single_old", ["be brief", "天空 why?"], /answer> echo: 天空 why\?/],
  [
    "envelope_new",
    ["be brief", "one", "two", "exit"],
    /echo: one[\s\S]*echo: two[\s\S]*messages> 5/,
  ],
  [
    "envelope_continuous_coded",
    ["s", "one", "two", "exit"],
    /echo: one[\s\S]*echo: two[\s\S]*messages> 5/,
  ],
  ["envelope_continuous_old", ["s", "one", "two", "exit"], /echo: one[\s\S]*echo: two[\s\S]*bye/],
  ["envelope_stream", ["s", "почему?"], /deltas> [2-9]\n.*answer> echo: почему\?/],
];

describe.concurrent("scripts in Python", { tags: "python", timeout: 2 * SCRIPT_MS }, () => {
  test.each(scripts)("%s is served with its own key", async (script, lines, expected) => {
    const { url, upstream } = await startScene({ ROUTE: "api", API_KEY: "" });
    const { code, output } = await runPythonScript(`test/clients/${script}.py`, {
      args: [url, OWN_KEY],
      lines,
    });
    expect(output).toMatch(expected);
    expect(code).toBe(0);
    for (const { headers } of upstream.requests) {
      expect(headers.authorization).toBe(`Bearer ${OWN_KEY}`);
    }
  });

  test.each(scripts.slice(0, 2))("%s is told in words what went wrong", async (script, lines) => {
    const { url } = await startScene({ LANG: "ru_RU.UTF-8" });
    const { output } = await runPythonScript(`test/clients/${script}.py`, {
      args: [url, "sk-bad-key"],
      lines,
    });
    expect(output).toContain("failed with 401: ");
    expect(output).toContain("OpenAI");
    expect(output).not.toContain("Traceback");
  });

  test("envelope_stream notices an answer that breaks", async () => {
    const { url } = await startScene({}, { behaviour: resetMidStream });
    const { code, output } = await runPythonScript("test/clients/envelope_stream.py", {
      args: [url, ""],
      lines: ["s", "why?"],
    });
    expect(output).toContain("failed with 502");
    expect(code).toBe(1);
  });
});

const page = readFileSync(path("../../../docs/en/reverse-proxy.md"), "utf8");
const snippet = /```nginx\n([\s\S]*?)```/.exec(page)?.[1] ?? "";

async function startBehindNginx(
  settings: Record<string, string>,
  options: Parameters<typeof startScene>[1] = {},
) {
  const scene = await startScene({ TRUSTED_PROXIES: "loopback", ...settings }, options);
  const nginx = closeAfterFile(await startNginx(snippet, scene.parley.port));
  return { ...scene, url: `${nginx.origin}/` };
}

const question = { user_content: "hi" };

describe("behind nginx as the documentation sets it up", {
  tags: "nginx",
  timeout: 2 * SCRIPT_MS,
  concurrent: true,
}, () => {
  test("the documentation has its snippet", () => {
    expect(snippet).toContain("proxy_pass");
  });

  test.each(scripts.filter(([script]) => /single|stream/.test(script)))(
    "%s is served",
    { tags: "python" },
    async (script, lines, expected) => {
      const { url } = await startBehindNginx({});
      const { code, output } = await runPythonScript(`test/clients/${script}.py`, {
        args: [url, OWN_KEY],
        lines,
      });
      expect(output).toMatch(expected);
      expect(code).toBe(0);
    },
  );

  test("every client has a budget of its own", async () => {
    const { url, parley } = await startBehindNginx({ MINUTE_LIMIT: "2" });
    for (const localAddress of ["127.0.0.2", "127.0.0.3"]) {
      for (let count = 0; count < 2; count += 1) await ask(url, question, { localAddress });
      expect((await askInVain(url, question, { localAddress })).code).toBe(429);
    }
    const who = await postJson(`${url}whoami`, undefined, {
      method: "GET",
      localAddress: "127.0.0.2",
    });
    expect(who.json).toMatchObject({
      address: "127.0.0.2",
      peer: "127.0.0.1",
      forwarded: "believed",
      windows: [{ window: "minute", remaining: 0 }],
    });
    const headers = { "x-forwarded-for": "198.51.100.7" };
    await ask(url, question, { headers });
    expect(await parley.logged("198.51.100.7")).toContain('"client":"198.51.100.7"');
  });

  test("a client cannot buy itself a new budget with a header", async () => {
    const { url } = await startBehindNginx({ MINUTE_LIMIT: "1", TRUSTED_PROXIES: "127.0.0.1" });
    const localAddress = "127.0.0.2";
    await ask(url, question, { localAddress });
    for (const name of ["x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip"]) {
      const headers = { [name]: name === "forwarded" ? "for=192.0.2.9" : "192.0.2.9" };
      expect((await askInVain(url, question, { localAddress, headers })).code, name).toBe(429);
    }
  });

  test("questions over WebSocket pass, and a page of the same site may ask them", async () => {
    const { url, parley } = await startBehindNginx({});
    for (const headers of [{}, { origin: new URL(url).origin }]) {
      const client = await connect(`${url}ask`, { headers });
      client.send("<|ask|>$new$new$hi");
      expect((await readText(client)).text).toBe("echo: hi");
      await client.close();
    }
    const evil = { headers: { origin: "https://evil.example" } };
    expect((await connectInVain(`${url}ask`, evil)).status).toBe(403);
    expect(await parley.logged("ask websocket")).toContain('"client":"127.0.0.1"');
  });

  test("events arrive one by one, not all at the end", async () => {
    const { url, upstream } = await startBehindNginx({}, { behaviour: stallMidStream });
    const stream = await openStream(url, { ...question, stream: true });
    const reader = stream.events[Symbol.asyncIterator]();
    const first = await deadline(Promise.resolve(reader.next()), 5_000, "the first event");
    expect(JSON.parse(String(first.value))).toMatchObject({ code: 200 });
    expect(upstream.open()).toBe(1);
    stream.hangUp();
    await upstream.waitFor(() => upstream.open() === 0, {
      label: "nginx passes on that the client left",
      timeoutMs: 5_000,
    });
  });

  test("a whole stream and every kind of failure come through as they are", async () => {
    const { url } = await startBehindNginx({ MAX_BODY_BYTES: "2000" });
    expect((await askStream(url, question)).done).toBe(true);
    expect((await askInVain(url, {})).code).toBe(400);
    expect((await askInVain(`${url}nowhere`, question)).code).toBe(404);
    expect((await askInVain(url, { ...question, padding: "x".repeat(9_000) })).code).toBe(413);
  });

  test("metrics are closed to those outside", async () => {
    const { url } = await startBehindNginx({});
    expect((await askInVain(`${url}metrics`, undefined, { method: "GET" })).code).toBe(404);
  });
});
