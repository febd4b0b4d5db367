/** What one request to an upstream shows an operator, and that it shows no secret. */
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { type ProbedUpstream, probeUpstream } from "../../src/upstream/probe.ts";
import { html200, redirect, refuse } from "../support/faults.ts";
import { startHttpProxy } from "../support/proxies.ts";
import { type Behaviour, type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

const KEY = "sk-probe-0123456789abcdef";
const options = { clock: systemClock, userAgent: "parley/test", connectMs: 2_000, answerMs: 5_000 };

async function start(behaviour?: Behaviour): Promise<ScriptedUpstream> {
  const upstream = await startUpstream(behaviour === undefined ? {} : { behaviour });
  onTestFinished(() => upstream.close());
  return upstream;
}

const probed = (url: string, changes: Partial<ProbedUpstream> = {}): ProbedUpstream => ({
  name: "probed",
  kind: "openai",
  url,
  models: [],
  concurrency: null,
  answerSeconds: null,
  firstTokenSeconds: null,
  keys: [KEY],
  headers: {},
  proxyUrl: null,
  ...changes,
});

test("the list of models is free, and its length and times are told", async () => {
  const upstream = await start();
  const headers = { "x-team": "blue" };
  const seen = await probeUpstream(probed(upstream.url, { headers }), null, options);
  expect(seen).toMatchObject({ asked: "models", ok: true, status: 200, reason: null });
  expect(seen.models).toBeGreaterThan(0);
  expect(seen.connectMs).toBeLessThanOrEqual(seen.latencyMs ?? -1);
  expect(upstream.requests).toMatchObject([
    {
      method: "GET",
      path: "/v1/models",
      headers: { authorization: `Bearer ${KEY}`, "x-team": "blue", "user-agent": "parley/test" },
    },
  ]);
});

test("with a model, one token is asked for", async () => {
  const upstream = await start();
  const seen = await probeUpstream(probed(upstream.url), "gpt-4o-mini", options);
  expect(seen).toMatchObject({ asked: "answer", ok: true, status: 200, models: null });
  expect(upstream.requests.at(-1)?.json).toMatchObject({ model: "gpt-4o-mini", max_tokens: 1 });
});

test.each([
  ["/anthropic", "/anthropic/v1/models"],
  ["/v1", "/v1/models"],
])("an Anthropic URL that ends in %s is asked at %s", async (path, asked) => {
  const upstream = await start();
  const url = new URL(path, upstream.url).href;
  await probeUpstream(probed(url, { kind: "anthropic" }), null, options);
  await probeUpstream(probed(url, { kind: "anthropic" }), "claude-sonnet-4-5", options);
  const [list, answer] = upstream.requests;
  expect(list).toMatchObject({ path: asked, headers: { "x-api-key": KEY } });
  expect(answer?.path).toBe(asked.replace("models", "messages"));
});

test.each([
  ["azure", "http://127.0.0.1:9/openai/v1?api-version=1"],
  ["openai", "http://127.0.0.1:9/api/grab?url=https://a.example/v1/chat/completions"],
] as const)("nothing is asked where nothing is free: %s %s", async (kind, url) => {
  const seen = await probeUpstream(probed(url, { kind }), null, options);
  expect(seen).toMatchObject({ asked: null, ok: null, status: null, connectMs: null });
});

test("a complete URL is asked as it stands", async () => {
  const upstream = await start();
  const url = new URL("/api/grab?url=https://a.example/v1/chat/completions", upstream.url).href;
  await probeUpstream(probed(url), "gpt-4o-mini", options);
  expect(upstream.requests.at(-1)?.path).toBe(
    "/api/grab?url=https://a.example/v1/chat/completions",
  );
});

test("a refusal is told in the service's words, without any secret", async () => {
  const message = `Wrong key ${KEY} or header team-canary-1 via proxy-canary-2 at query-canary-3 ${"x".repeat(400)}`;
  const upstream = await start(refuse(401, { message }));
  const secrets = {
    headers: { authorization: "Bearer team-canary-1" },
    proxyUrl: "http://ann:proxy-canary-2@127.0.0.1:9",
  };
  const proxy = await startHttpProxy({ username: "ann", password: "proxy-canary-2" });
  onTestFinished(() => proxy.close());
  const proxyUrl = secrets.proxyUrl.replace(":9", `:${proxy.port}`);
  const seen = await probeUpstream(
    probed(`${upstream.url}?sig=query-canary-3`, { ...secrets, proxyUrl }),
    null,
    options,
  );
  expect(seen).toMatchObject({ asked: "models", ok: false, status: 401, models: null });
  expect(seen.reason).toMatch(
    /^Wrong key \[removed\] or .*\[removed\] via \[removed\] at \[removed\] x/,
  );
  expect(seen.reason).not.toContain("canary");
  expect(seen.reason?.length).toBeLessThanOrEqual(300);
  expect(proxy.targets).toHaveLength(1);
});

test.each([
  ["a page", html200, 200, "the answer is no list of models"],
  ["a redirect", redirect(302, "/login"), 302, "upstream answered 302"],
])("%s is no answer", async (_, behaviour, status, reason) => {
  const upstream = await start(behaviour);
  const seen = await probeUpstream(probed(upstream.url), null, options);
  expect(seen).toMatchObject({ ok: false, status, reason });
});

test("an error with a status of 200 is one", async () => {
  const upstream = await start({
    name: "200 with an error",
    run: ({ response }) => void response.end('{"error":{"message":"no such deployment"}}'),
  });
  for (const model of [null, "gpt-4o-mini"]) {
    const seen = await probeUpstream(probed(upstream.url), model, options);
    expect(seen).toMatchObject({ ok: false, status: 200, reason: "no such deployment" });
  }
});

test("a service that nobody runs is told with the network's words", async () => {
  const upstream = await startUpstream();
  await upstream.close();
  const seen = await probeUpstream(probed(upstream.url), null, options);
  expect(seen).toMatchObject({ ok: false, status: null, connectMs: null, latencyMs: null });
  expect(seen.reason).toContain("ECONNREFUSED");
});
