/** What a question over WebSocket costs, and where it is written down: the same as over HTTP. */
import { describe, expect, test } from "vitest";
import { refuse, silent, stallMidStream } from "../../support/faults.ts";
import { postJson } from "../../support/http.ts";
import { createHeldClock } from "../../support/parley.ts";
import { type SceneOptions, startScene } from "../../support/scene.ts";
import { answer, createAnswer } from "../../support/upstream.ts";
import { connect, readText } from "../../support/websocket.ts";

const protocol = "parley.v1";
const ASK = "<|ask|>$new$new$hi";
const ADMIN_TOKEN = "admin-0123456789-0123456789-0123456789";

describe.concurrent("limits", () => {
  test("have one budget for questions over HTTP and WebSocket; handshakes take nothing", async () => {
    const clock = createHeldClock();
    const { parley } = await startScene({ MINUTE_LIMIT: "3" }, { clock });
    const text = await connect(`${parley.origin}/ask`);
    const json = await connect(`${parley.origin}/ask`, { protocol });
    text.send(ASK);
    await readText(text);
    json.send({ type: "ask", id: "q1", prompt: "hi" });
    for (let frame = await json.nextJson(); frame.type !== "end"; ) frame = await json.nextJson();
    const over = await postJson(`${parley.origin}/ask/new`, { prompt: "hi" });
    expect([over.status, over.headers.ratelimit]).toEqual([200, '"minute";r=0;t=60']);

    json.send({ type: "ask", id: "q2", prompt: "hi" });
    expect(await json.nextJson()).toMatchObject({
      type: "error",
      id: "q2",
      code: "rate_limited",
      status: 429,
      window: "minute",
      limit: 3,
      retry_after_seconds: 60,
      retry_after_ms: 60_000,
      message: expect.stringMatching(/3 per minute/),
    });
    text.send(ASK);
    expect(await text.next()).toMatch(/^<\|err\|>\$.*3 per minute/);
    clock.forward(60_001);
    text.send(ASK);
    expect((await readText(text)).text).toBe("echo: hi");
  });

  test("frames that ask nothing take nothing", async () => {
    const { parley } = await startScene({ MINUTE_LIMIT: "1" });
    const client = await connect(`${parley.origin}/ask`);
    for (let count = 0; count < 5; count += 1) {
      client.send("out of form");
      await client.next();
    }
    client.send(ASK);
    expect((await readText(client)).text).toBe("echo: hi");
  });

  test("of open answers hold across connections and transports", async () => {
    const { parley, upstream } = await startScene(
      { STREAM_LIMIT: "1" },
      { behaviour: stallMidStream },
    );
    const first = await connect(`${parley.origin}/ask`);
    first.send("<|ask|>$new$new$one two three");
    await first.next();
    const second = await connect(`${parley.origin}/ask`, { protocol });
    second.send({ type: "ask", id: "q", prompt: "hi" });
    expect(await second.nextJson()).toMatchObject({ code: "streams_limited", limit: 1 });
    await first.close();
    await upstream.waitFor(() => upstream.open() === 0, { label: "closed", timeoutMs: 5_000 });
    upstream.behave(answer);
    second.send({ type: "ask", id: "q", prompt: "hi" });
    expect(await second.nextJson()).toMatchObject({ type: "delta" });
  });

  test("room for bodies holds for frames, too, and a quarter of it for each address", async () => {
    const { parley, upstream } = await startScene(
      { MAX_BODY_BYTES: "5000000" },
      { behaviour: silent },
    );
    const frame = { type: "ask", prompt: "x".repeat(4_100_000) };
    const overloaded = { type: "error", code: "overloaded", status: 503, retry_after_ms: 2_000 };
    const clientAt = (localAddress: string) =>
      connect(`${parley.origin}/ask`, { protocol, localAddress });
    const held = (count: number) =>
      upstream.waitFor(() => upstream.open() === count, { label: "held", timeoutMs: 10_000 });
    const first = await clientAt("127.0.0.2");
    const other = await clientAt("127.0.0.3");
    // four of these are a share
    for (const id of ["1", "2", "3", "4"]) first.send({ ...frame, id });
    await held(4);
    first.send({ ...frame, id: "5" });
    expect(await first.nextJson()).toMatchObject({ ...overloaded, id: "5" });
    other.send({ ...frame, id: "1" });
    await held(5);
    first.send({ type: "cancel", id: "1" });
    expect(await first.nextJson()).toMatchObject({ code: "canceled" });
    await held(4);
    first.send({ ...frame, id: "again" });
    await held(5);
    for (const { ws } of [first, other]) ws.terminate();
    await held(0);
  });
});

describe.concurrent("tokens", () => {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const admin = async (origin: string, method: string, path: string, body?: unknown) => {
    const headers = bearer(ADMIN_TOKEN);
    const reply = await postJson(`${origin}/admin${path}`, body, { method, headers });
    expect(reply.status).toBeLessThan(300);
    return reply.json as { readonly id: string; readonly token: string };
  };
  const startWithToken = async (fields: object = {}, options: SceneOptions = {}) => {
    const scene = await startScene({ ADMIN_TOKEN, SHARED_KEY: "token" }, options);
    const { origin } = scene.parley;
    await admin(origin, "PUT", "/prices/gpt-4o-mini", { input: "0.15", output: "0.6" });
    const issued = await admin(origin, "POST", "/tokens", { name: "a holder", ...fields });
    return { ...scene, ...issued, origin };
  };

  test("are needed where the operator says so, and pay for questions", async () => {
    const { origin, token } = await startWithToken();
    const visitor = await connect(`${origin}/ask`);
    visitor.send(ASK);
    expect(await visitor.next()).toMatch(/^<\|err\|>\$.*token/);
    for (const headers of [bearer(token), { "access-token": token }]) {
      const client = await connect(`${origin}/ask`, { headers });
      client.send(ASK);
      expect((await readText(client)).text).toBe("echo: hi");
    }
    const page = await connect(`${origin}/ask`, { protocol });
    page.send({ type: "ask", id: "q", prompt: "hi", api_key: token });
    expect(await page.nextJson()).toMatchObject({ type: "delta" });
    const usage = await postJson(`${origin}/usage`, undefined, {
      method: "GET",
      headers: bearer(token),
    });
    expect(JSON.stringify(usage.json)).toContain('"requests":3');
  });

  test("that are revoked stop working on an open connection", async () => {
    const { origin, token, id } = await startWithToken();
    const client = await connect(`${origin}/ask`, { headers: bearer(token) });
    client.send(ASK);
    await readText(client);
    await admin(origin, "DELETE", `/tokens/${id}`);
    client.send(ASK);
    expect(await client.next()).toMatch(/^<\|err\|>\$.*token.*revoked/);
  });

  test("that expire stop working on an open connection", async () => {
    const clock = createHeldClock();
    const { origin, token } = await startWithToken({ expires: "1h" }, { clock });
    const client = await connect(`${origin}/ask`, { headers: bearer(token) });
    client.send(ASK);
    await readText(client);
    clock.forward(3_600_001);
    client.send(ASK);
    expect(await client.next()).toMatch(/^<\|err\|>\$.*token.*expired/);
  });

  test("have their quotas", async () => {
    const { origin, token } = await startWithToken({ requests_per_day: 1 });
    const client = await connect(`${origin}/ask`, { protocol, headers: bearer(token) });
    client.send({ type: "ask", id: "q1", prompt: "hi" });
    for (let frame = await client.nextJson(); frame.type !== "end"; ) {
      frame = await client.nextJson();
    }
    client.send({ type: "ask", id: "q2", prompt: "hi" });
    expect(await client.nextJson()).toMatchObject({
      id: "q2",
      code: "quota_exceeded",
      status: 429,
      quota: "requests",
    });
  });
});

describe.concurrent("records", () => {
  test("a question has its line in the log, its row and its numbers", async () => {
    const { parley } = await startScene({ METRICS_PORT: "9000" });
    const client = await connect(`${parley.origin}/ask`);
    client.send("<|ask|>$new$new$a secret question");
    await readText(client);
    const line = JSON.parse(await parley.logged('"route":"ask websocket"')) as object;
    expect(line).toMatchObject({
      msg: "request",
      method: "WS",
      status: 200,
      client: "127.0.0.1",
      principal: "visitor",
      model: "gpt-4o-mini",
      outcome: "completed",
      completion_tokens: 23,
      request_id: expect.stringMatching(/./),
    });
    client.send("<|ask|>$nowhere$new$hi");
    await client.next();
    expect(await parley.logged('"status":404')).toContain('"route":"ask websocket"');
    expect(parley.log.join("")).not.toContain("secret question");
    expect(await parley.logged('"status":101')).toContain('"route":"ask GET /ask"');
    const { text } = await postJson(`${parley.metricsOrigin}/metrics`, undefined, {
      method: "GET",
    });
    expect(text).toContain('parley_http_requests_total{route="ask websocket",status="200"} 1');
    expect(text).toContain('parley_http_requests_total{route="ask websocket",status="404"} 1');
    expect(text).toContain('parley_calls_total{dialect="ask",outcome="completed"} 1');
  });

  test("a question left in its middle is written down as canceled", async () => {
    const { parley, upstream } = await startScene({}, { behaviour: stallMidStream });
    const client = await connect(`${parley.origin}/ask`, { protocol });
    client.send({ type: "ask", id: "q", prompt: "one two three" });
    await client.nextJson();
    client.ws.terminate();
    await upstream.waitFor(() => upstream.open() === 0, { label: "closed", timeoutMs: 1_000 });
    const line = await parley.logged('"status":499');
    expect(JSON.parse(line)).toMatchObject({ outcome: "canceled", route: "ask websocket" });
  });

  test("the service's refusals are asked again as over HTTP", async () => {
    let count = 0;
    const { parley } = await startScene({ RETRIES: "2" });
    const client = await connect(`${parley.origin}/ask`);
    client.send(ASK);
    expect((await readText(client)).end).toMatch(/^<\|end/);
    const failing = await startScene({ RETRIES: "1" }, { behaviour: refuse(503) });
    failing.upstream.behave(() => {
      count += 1;
      return count === 1 ? refuse(503) : createAnswer();
    });
    const other = await connect(`${failing.parley.origin}/ask`);
    other.send(ASK);
    expect((await readText(other)).text).toBe("echo: hi");
    expect(count).toBe(2);
  });
});
