import { describe, expect, test } from "vitest";
import { ask, askInVain, askStream } from "../../support/envelope.ts";
import { silent, stallMidStream } from "../../support/faults.ts";
import { openStream, postJson } from "../../support/http.ts";
import { createHeldClock } from "../../support/parley.ts";
import { OWN_KEY, startScene } from "../../support/scene.ts";

const question = { user_content: "hi" };
const get = (url: string, headers: Record<string, string> = {}) =>
  postJson(url, undefined, { method: "GET", headers });

describe.concurrent("healthz and readyz", () => {
  test("say that all is well, free of limits", async () => {
    const { parley } = await startScene({ SECOND_LIMIT: "1", ROUTE: "api" });
    for (let count = 0; count < 5; count += 1) {
      const health = await get(`${parley.origin}/healthz`);
      expect([health.status, health.json]).toEqual([200, { status: "ok" }]);
      const ready = await get(`${parley.origin}/readyz`);
      expect(ready.status).toBe(200);
      expect(ready.json).toEqual({
        status: "ready",
        checks: { accepting: true, database: true, limits: true },
        degraded: [],
        warnings: [],
      });
    }
  });

  test("part while the server is about to stop: not ready, and calls are taken", async () => {
    const { parley, url } = await startScene();
    parley.parley.openCalls.retire();
    const ready = await get(`${parley.origin}/readyz`);
    expect([ready.status, ready.json]).toMatchObject([503, { status: "draining" }]);
    expect((await postJson(url, question)).status).toBe(200);
  });

  test("part while draining: alive, but not ready, and calls are turned away", async () => {
    const { parley, url } = await startScene({ MINUTE_LIMIT: "9" });
    await parley.parley.openCalls.drain();
    expect((await get(`${parley.origin}/healthz`)).status).toBe(200);
    const ready = await get(`${parley.origin}/readyz`);
    expect(ready.status).toBe(503);
    expect(ready.json).toMatchObject({
      status: "draining",
      checks: { accepting: false, database: true },
    });
    for (const stream of [true, false]) {
      const refused = await askInVain(url, { ...question, stream });
      expect(refused).toMatchObject({ code: 503, data: { error: "draining" } });
      expect(refused.reply.headers).toMatchObject({ "retry-after": "5" });
      expect(refused.reply.headers.ratelimit).toBeDefined();
    }
  });

  test("answer a wrong method with 405 and an unknown path below with 404", async () => {
    const { parley } = await startScene();
    for (const path of ["healthz", "readyz", "whoami", "metrics"]) {
      const refused = await askInVain(`${parley.origin}/${path}`, question);
      expect(refused.code).toBe(405);
      expect(refused.reply.headers.allow).toBe("GET");
      expect((await askInVain(`${parley.origin}/${path}/x`, question)).code).toBe(404);
      const head = await postJson(`${parley.origin}/${path}`, undefined, { method: "HEAD" });
      expect([head.status, head.text]).toEqual([200, ""]);
    }
  });

  test("a header nobody vouches for is a warning in readyz, metrics and the log", async () => {
    const { parley } = await startScene();
    const headers = { "x-forwarded-for": "192.0.2.7" };
    for (let count = 0; count < 25; count += 1) await get(`${parley.origin}/healthz`, headers);
    const ready = await get(`${parley.origin}/readyz`);
    expect(ready.json).toMatchObject({ warnings: [{ code: "shared_peer", peer: "127.0.0.1" }] });
    expect(await parley.logged("TRUSTED_PROXIES")).toContain('"warning":"shared_peer"');
    const { text } = await get(`${parley.origin}/metrics`);
    expect(text).toContain('parley_client_address_warning{code="shared_peer"} 1');
  });
});

describe.concurrent("whoami", () => {
  test("shows the address that counts and what is left of its limits", async () => {
    const settings = { MINUTE_LIMIT: "3", DAY_LIMIT: "9", STREAM_LIMIT: "2" };
    const clock = createHeldClock();
    const { parley, url } = await startScene(settings, { clock, behaviour: stallMidStream });
    const stream = await openStream(url, { ...question, stream: true });
    clock.forward(20_000);
    for (let count = 0; count < 2; count += 1) {
      const { json } = await get(`${parley.origin}/whoami`);
      expect(json).toEqual({
        address: "127.0.0.1",
        bucket: "127.0.0.1",
        peer: "127.0.0.1",
        forwarded: "none",
        windows: [
          { window: "minute", limit: 3, remaining: 2, reset_seconds: 40 },
          { window: "day", limit: 9, remaining: 8, reset_seconds: 86_380 },
        ],
        streams: { open: 1, limit: 2 },
      });
    }
    stream.hangUp();
  });

  test("believes a trusted proxy and folds IPv6 to its network", async () => {
    const { parley } = await startScene({ TRUSTED_PROXIES: "loopback" });
    const headers = { "x-forwarded-for": "2001:DB8::1:2" };
    const { json } = await get(`${parley.origin}/whoami`, headers);
    expect(json).toMatchObject({
      address: "2001:db8::1:2",
      bucket: "2001:db8::/64",
      peer: "127.0.0.1",
      forwarded: "believed",
    });
  });
});

describe.concurrent("metrics", () => {
  test.each([
    ["x-real-ip", 404],
    ["cf-connecting-ip", 404],
    ["via", 404],
    ["x-forwarded-proto", 404],
    ["x-forwarded-host", 404],
    ["x-forwarded-for", 404],
    ["forwarded", 404],
    ["true-client-ip", 404],
    ["fly-client-ip", 404],
    ["x-envoy-external-address", 404],
    ["x-amzn-trace-id", 404],
    ["cdn-loop", 404],
    ["x-prometheus-scrape-timeout-seconds", 200],
    ["accept-encoding", 200],
  ])("without a token, a request with %s gets %i", async (name, status) => {
    const { parley } = await startScene();
    expect((await get(`${parley.origin}/metrics`, { [name]: "1.2.3.4" })).status).toBe(status);
  });

  test("the log names the first segment of OpenAI's paths that are not served", async () => {
    const { parley } = await startScene();
    const paths = [
      "uploads",
      "uploads/upload-1/parts",
      "fine_tuning/jobs",
      "secret-of-mine",
      "",
      "images/x",
    ];
    for (const path of paths) await get(`${parley.origin}/v1/${path}`);
    await parley.logged("openai /v1/images");
    const routes = parley.log.map((line) => JSON.parse(line).route);
    expect(routes).toEqual(
      ["uploads", "uploads", "fine_tuning", "*", "*", "images"].map((one) => `openai /v1/${one}`),
    );
  });

  test("count calls, tokens and decisions under labels from closed lists", async () => {
    const { parley, url, upstream } = await startScene({
      MINUTE_LIMIT: "5",
      ALLOWED_MODELS: "gpt-4o-mini gpt-4o mine",
    });
    await ask(url, question);
    await askStream(url, { ...question, model: "mine" });
    await askInVain(url, { ...question, model: "not-listed" });
    await askInVain(url, { ...question, api_key: "sk-bad" });
    upstream.behave(silent);
    const leaving = new AbortController();
    const left = postJson(url, question, { signal: leaving.signal }).catch(() => null);
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: 5_000 });
    leaving.abort();
    await left;
    await parley.logged('"status":499');
    await askInVain(url, question);
    await get(`${parley.origin}/${"x".repeat(50)}`);
    const { text, headers } = await get(`${parley.origin}/metrics`);
    expect(headers["content-type"]).toMatch(/^text\/plain; version=/);
    const samples = text.split("\n").filter((line) => /^parley_/.test(line));
    const has = (line: string) => expect(samples, line).toContain(line);
    has('parley_http_requests_total{route="envelope POST /",status="200"} 2');
    has('parley_http_requests_total{route="envelope POST /",status="400"} 1');
    has('parley_http_requests_total{route="envelope POST /",status="401"} 1');
    has('parley_http_requests_total{route="envelope POST /",status="429"} 1');
    has('parley_http_requests_total{route="envelope POST /",status="499"} 1');
    has('parley_http_requests_total{route="unknown",status="404"} 1');
    has('parley_calls_total{dialect="envelope",outcome="completed"} 2');
    has('parley_calls_total{dialect="envelope",outcome="failed"} 1');
    has('parley_calls_total{dialect="envelope",outcome="canceled"} 1');
    has('parley_upstream_answers_total{outcome="answered"} 2');
    has('parley_upstream_answers_total{outcome="key_rejected"} 1');
    has('parley_tokens_total{direction="prompt",model="gpt-4o-mini"} 2');
    has('parley_tokens_total{direction="completion",model="mine"} 8');
    has('parley_limit_decisions_total{decision="admitted",window=""} 5');
    has('parley_limit_decisions_total{decision="refused",window="minute"} 1');
    has('parley_time_to_first_token_seconds_count{dialect="envelope"} 1');
    has("parley_open_calls 0");
  });

  test("give a model, a method or a path that a client chose no label of its own", async () => {
    const { parley, url } = await startScene();
    for (let count = 0; count < 30; count += 1) {
      await ask(url, { ...question, model: `model-${count}` });
    }
    for (const method of ["PROPFIND", "SEARCH", "PURGE"]) {
      await postJson(`${parley.origin}/canary-${method}`, undefined, { method });
      await postJson(url, undefined, { method });
    }
    const { text } = await get(`${parley.origin}/metrics`);
    expect(text).not.toMatch(/model-|canary|PROPFIND|SEARCH|PURGE/);
    expect(text).toContain('parley_tokens_total{direction="prompt",model="other"} 60');
  });

  test("answer the machine they run on, unless a token or a port is set", async () => {
    const { parley } = await startScene();
    expect((await get(`${parley.origin}/metrics`)).status).toBe(200);
  });

  test.each([
    ["an address that is not believed", "", { "x-forwarded-for": "127.0.0.1" }],
    ["somebody behind a proxy", "loopback", { "x-forwarded-for": "203.0.113.9" }],
    [
      "a neighbour who says it is the machine itself",
      "loopback, private",
      { "x-forwarded-for": "127.0.0.1, 10.0.0.9" },
    ],
    ["a proxy that says it is the machine itself", "loopback", { forwarded: "for=127.0.0.1" }],
    ["a proxy's spelling with underscores", "", { x_forwarded_for: "203.0.113.7" }],
    ["a proxy of a cloud", "", { "fly-forwarded-proto": "https" }],
    ["a proxy that tells of its login", "", { "remote-user": "a" }],
    ["a proxy that passes the host on", "", { host: "parley.example.org" }],
    ["a proxy that passes a public address on", "", { host: "203.0.113.7:5000" }],
    ["a page of another origin", "", { origin: "https://a.example" }],
  ])("are nowhere for %s", async (_name, trusted, headers) => {
    const { parley } = await startScene({ TRUSTED_PROXIES: trusted });
    const refused = await askInVain(`${parley.origin}/metrics`, undefined, {
      method: "GET",
      headers,
    });
    expect(refused).toMatchObject({ code: 404, data: { error: "not_found" } });
  });

  const readers: readonly Readonly<Record<string, string>>[] = [
    { "x-prometheus-scrape-timeout-seconds": "10", "user-agent": "Prometheus/3.0" },
    { "sec-fetch-mode": "navigate", "upgrade-insecure-requests": "1", "accept-language": "zh" },
    { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
    { host: "localhost:5000" },
    { host: "[::1]:5000" },
    { host: "parley" },
  ];
  test.each(readers)("are shown on the machine itself to a reader with %j", async (headers) => {
    const { parley } = await startScene();
    expect((await get(`${parley.origin}/metrics`, headers)).status).toBe(200);
  });

  test("want the token where one is set, also from the machine itself", async () => {
    const { parley } = await startScene({ METRICS_TOKEN: "let-me-in-0123456789" });
    const read = async (headers: Record<string, string>) =>
      (await get(`${parley.origin}/metrics`, headers)).status;
    expect(await read({ authorization: "Bearer let-me-in-0123456789" })).toBe(200);
    expect(await read({ authorization: "bearer  let-me-in-0123456789" })).toBe(200);
    for (const authorization of [
      "",
      "Bearer",
      "Bearer let-me-in-012345678",
      "Bearer let-me-in-0123456789x",
      "Bearer LET-ME-IN-0123456789",
      "Basic let-me-in-0123456789",
      "Bearer ' OR '1'='1",
    ]) {
      expect(await read({ authorization }), authorization).toBe(404);
    }
    expect((await get(`${parley.origin}/metrics?token=let-me-in-0123456789`)).status).toBe(404);
  });

  test("have a port of their own with METRICS_PORT and are nowhere on the other", async () => {
    const { parley } = await startScene({ METRICS_PORT: "9464" });
    expect((await get(`${parley.origin}/metrics`)).status).toBe(404);
    const { status, text } = await get(`${parley.metricsOrigin}/metrics`);
    expect(status).toBe(200);
    expect(text).toContain("parley_open_calls 0");
    for (const [method, path] of [
      ["GET", "/"],
      ["POST", "/metrics"],
      ["GET", "/healthz"],
    ] as const) {
      const reply = await postJson(`${parley.metricsOrigin}${path}`, undefined, { method });
      expect([reply.status, reply.text]).toEqual([404, ""]);
    }
  });
});

describe.concurrent("the log", () => {
  test("has one line of JSON a request, with what happened and nothing that was said", async () => {
    const { parley, url } = await startScene({ LOG_LEVEL: "debug" });
    const said = "a-question-nobody-else-reads";
    await ask(url, { user_content: said, sys_content: said, api_key: OWN_KEY });
    const line: unknown = JSON.parse(await parley.logged('"msg":"request"'));
    expect(line).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      request_id: expect.stringMatching(/^req-\w{10}-[0-9a-z]+$/),
      route: "envelope POST /",
      method: "POST",
      status: 200,
      ms: expect.any(Number),
      client: "127.0.0.1",
      principal: "own-key",
      model: "gpt-4o-mini",
      outcome: "completed",
      prompt_tokens: said.length * 2,
      completion_tokens: said.length + 6,
      msg: "request",
    });
    expect(parley.log.join("")).not.toContain(said);
  });

  test("names the answer's own request id", async () => {
    const { parley, url } = await startScene();
    const { headers } = await postJson(url, {});
    expect(await parley.logged(String(headers["x-request-id"]))).toContain('"status":400');
  });

  test("stays one valid object a line, whatever a client sends", async () => {
    const { parley, url } = await startScene();
    const model = '\n{"level":60,"msg":"forged"}\u001b[31m\r\n"}';
    await ask(url, { ...question, model });
    await get(`${parley.origin}/%0a%7b%22forged%22`, {
      "user-agent": '"}{"forged":1',
      referer: "x",
    });
    await parley.logged('"route":"unknown"');
    for (const line of parley.log) {
      expect(line.match(/\n/g)).toHaveLength(1);
      expect(JSON.parse(line)).not.toMatchObject({ level: 60 });
      expect(line).not.toContain("\u001b");
    }
    expect(parley.log.join("")).not.toContain('"forged":1');
  });

  test("is empty at the level silent", async () => {
    const { parley, url } = await startScene({ LOG_LEVEL: "silent" });
    await ask(url, question);
    expect(parley.log).toEqual([]);
  });
});
