/** A call that one limit refuses takes from no other, on every transport. */
import { describe, expect, test } from "vitest";
import { ADMIN_ENV, bearer, issue, MODEL, setPrice } from "../dialects/openai/support.ts";
import { stallMidStream } from "../support/faults.ts";
import { startGrpc } from "../support/grpc.ts";
import { deadline, openStream, postJson } from "../support/http.ts";
import { readRateLimits } from "../support/rate-limit-headers.ts";
import { connect } from "../support/websocket.ts";

const env = { ...ADMIN_ENV, HOUR_LIMIT: "6", MODEL };

async function start(fields: object, settings: Readonly<Record<string, string>> = {}) {
  const scene = await startGrpc({ ...env, ...settings });
  const { origin } = scene.parley;
  await setPrice(origin, MODEL);
  const { token } = await issue(origin, fields);
  const headers = bearer(token);
  const left = async () => {
    const { json } = await postJson(`${origin}/whoami`, undefined, { method: "GET" });
    return (json as { windows: { remaining: number }[] }).windows[0]?.remaining;
  };
  return { scene, origin, headers, left };
}

type Started = Awaited<ReturnType<typeof start>>;

/** Each asks once, with the status as HTTP has it. */
const ways: Readonly<Record<string, (started: Started) => Promise<number>>> = {
  "/v1": async ({ origin, headers }) => {
    const body = { model: MODEL, messages: [{ role: "user", content: "Hello?" }] };
    return (await postJson(`${origin}/v1/chat/completions`, body, { headers })).status;
  },
  envelope: async ({ origin, headers }) =>
    (await postJson(`${origin}/`, { user_content: "Hello?" }, { headers })).status,
  completion: async ({ origin, headers }) =>
    (await postJson(`${origin}/chat_complete`, { prompt: "Hello?" }, { headers })).status,
  ask: async ({ origin, headers }) =>
    (await postJson(`${origin}/ask/new`, { prompt: "Hello?" }, { headers })).status,
  WebSocket: async ({ origin, headers }) => {
    const client = await connect(`${origin}/ask`, { protocol: "parley.v1", headers });
    client.send({ type: "ask", id: "1", prompt: "Hello?" });
    for (;;) {
      const frame = await client.nextJson();
      if (frame.type === "delta") continue;
      await client.close();
      return frame.type === "error" ? 429 : 200;
    }
  },
  gRPC: async ({ scene, headers }) => {
    const metadata = { authorization: headers.authorization };
    const asked = scene.client.ask({ prompt: "Hello?", conversation_id: "new" }, { metadata });
    return asked.then(
      () => 200,
      () => 429,
    );
  },
};

describe.each(Object.entries(ways))("over %s a call", (_, ask) => {
  test("that a token's window refuses takes nothing from the address", async () => {
    const started = await start({ minute_limit: 1 });
    const statuses = [];
    for (let call = 0; call < 4; call += 1) statuses.push(await ask(started));
    expect(statuses).toEqual([200, 429, 429, 429]);
    expect(await started.left()).toBe(5);
  });

  test("that a minute of model tokens refuses takes from no window", async () => {
    const started = await start({ tokens_per_minute: 100, minute_limit: 3 });
    for (let call = 0; call < 4; call += 1) expect(await ask(started)).toBe(429);
    expect(await started.left()).toBe(6);
  });

  test("that finds no place among the token's open calls takes from no window", async () => {
    const started = await start({ concurrency: 1, minute_limit: 3 });
    const { scene, origin, headers } = started;
    scene.upstream.behave(stallMidStream);
    const body = { user_content: "Hello?", stream: true };
    const stream = await openStream(`${origin}/`, body, { headers });
    for (let call = 0; call < 4; call += 1) expect(await ask(started)).toBe(429);
    expect(await started.left()).toBe(5);
    stream.hangUp();
  });

  test("that a quota refuses takes from no window", async () => {
    const started = await start({ tokens_per_day: 100, minute_limit: 3 });
    for (let call = 0; call < 4; call += 1) expect(await ask(started)).toBe(429);
    expect(await started.left()).toBe(6);
    const reply = await postJson(
      `${started.origin}/v1/chat/completions`,
      { model: MODEL, messages: [{ role: "user", content: "Hello?" }] },
      { headers: started.headers },
    );
    expect(reply.text).toContain("insufficient_quota");
    expect(readRateLimits(reply.headers)).toMatchObject([{ name: "hour", remaining: 6 }]);
  });
});

test("a stream too many takes nothing from the address", async () => {
  const { scene, origin, headers, left } = await start({}, { STREAM_LIMIT: "1" });
  scene.upstream.behave(stallMidStream);
  const body = { user_content: "Hello?", stream: true };
  const stream = await openStream(`${origin}/`, body, { headers });
  for (let call = 0; call < 3; call += 1) {
    const reply = await postJson(`${origin}/`, body, { headers });
    expect([reply.status, readRateLimits(reply.headers)[0]?.remaining]).toEqual([429, 5]);
  }
  expect(await left()).toBe(5);
  stream.hangUp();
});

test.each([
  ["a body that can't be read", 400, "{", {}],
  ["a field that is wrong", 400, { model: MODEL, max_tokens: "x" }, {}],
  ["an unknown token", 401, {}, bearer(`parley-${"x".repeat(40)}`)],
  ["a model without a price", 400, { model: "x", messages: [] }, {}],
])("%s counts", async (_, status, body, changes) => {
  const { origin, headers, left } = await start({});
  const reply = await postJson(`${origin}/v1/chat/completions`, body, {
    headers: { ...headers, ...changes },
  });
  expect(reply.status).toBe(status);
  expect(await left()).toBe(5);
});

test("a call that failed counts, in the token's window too", async () => {
  const started = await start({ minute_limit: 1 }, { OPENAI_URL: "http://127.0.0.1:9/v1" });
  const ask = ways["/v1"];
  expect(ask === undefined ? [] : [await ask(started), await ask(started)]).toEqual([502, 429]);
  expect(await started.left()).toBe(5);
});

test("a full window of the address refuses before the body is read", async () => {
  const { origin, headers, left } = await start({}, { HOUR_LIMIT: "1" });
  const url = `${origin}/v1/chat/completions`;
  await postJson(url, "{", { headers });
  const reply = await deadline(postJson(url, "{", { headers }), 5_000, "a refusal");
  expect([reply.status, await left()]).toEqual([429, 0]);
});
