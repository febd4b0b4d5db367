import { beforeAll, describe, expect, test } from "vitest";
import { anthropicAnswer, createAnthropicAnswer } from "../../support/anthropic.ts";
import { refuse } from "../../support/faults.ts";
import { openStream, postJson } from "../../support/http.ts";
import { OPERATOR_KEY, OWN_KEY, startScene } from "../../support/scene.ts";
import {
  admin,
  bearer,
  MODEL,
  setPrice,
  startTokenScene,
  type TokenScene,
} from "../openai/support.ts";
import { CLAUDE, startNative } from "./support.ts";

const OTHERS_KEY = "sk-ant-api03-0123456789";
const question = (model: string) => ({
  model,
  max_tokens: 100,
  messages: [{ role: "user", content: "hello" }],
});
const version = { "anthropic-version": "2024-01-01" };

let native: TokenScene;
let translated: TokenScene;
beforeAll(async () => {
  native = await startNative();
  translated = await startTokenScene();
  await setPrice(native.parley.origin, CLAUDE);
});

const messagesAt = ({ parley }: TokenScene, query = "") => `${parley.origin}/v1/messages${query}`;

describe("a caller", () => {
  test.each<[string, (token: string) => Record<string, string>]>([
    ["x-api-key", (token) => ({ "x-api-key": token })],
    ["x-api-key and a version", (token) => ({ "x-api-key": token, ...version })],
    ["Authorization", bearer],
  ])("is known by %s", async (_header, headersOf) => {
    const headers = headersOf(translated.token);
    const reply = await postJson(messagesAt(translated), question(MODEL), { headers });
    expect(reply).toMatchObject({ status: 200, json: { type: "message" } });
    expect(translated.rows().at(-1)).toMatchObject({ token_id: translated.id });
  });

  test("without a key gets 401 in Anthropic's form", async () => {
    const reply = await postJson(messagesAt(translated), question(MODEL));
    expect(reply).toMatchObject({
      status: 401,
      json: {
        type: "error",
        error: { type: "authentication_error", details: { error_code: "credential_missing" } },
        request_id: reply.headers["request-id"],
      },
    });
    // their clients repeat it for minutes otherwise
    expect(reply.headers["x-should-retry"]).toBe("false");
  });

  test("has a key of their own sent to a service of Anthropic's kind as x-api-key", async () => {
    for (const key of [OTHERS_KEY, OWN_KEY]) {
      const headers = { "x-api-key": key };
      const reply = await postJson(messagesAt(native), question(CLAUDE), { headers });
      expect(reply.status).toBe(200);
      const { headers: sent } = native.upstream.requests.at(-1) ?? {};
      expect(sent).toMatchObject({ "x-api-key": key, "anthropic-version": "2023-06-01" });
      expect(sent).not.toHaveProperty("authorization");
    }
  });

  test("has a key of Anthropic's sent to no other service", async () => {
    const { length } = translated.upstream.requests;
    const asked = question(MODEL);
    const headers = { "x-api-key": OTHERS_KEY };
    const reply = await postJson(messagesAt(translated), asked, { headers });
    expect(reply).toMatchObject({ status: 401, json: { error: { type: "authentication_error" } } });
    const other = await postJson(translated.chat, asked, { headers: bearer(OTHERS_KEY) });
    expect(other).toMatchObject({ status: 401, json: { error: { code: "key_of_other_service" } } });
    const body = { user_content: "a", api_key: OTHERS_KEY };
    expect(await postJson(translated.url, body)).toMatchObject({ status: 401 });
    expect(translated.upstream.requests).toHaveLength(length);
    expect(translated.parley.log.join("")).not.toContain(OTHERS_KEY);
  });

  test("of another dialect has no key in x-api-key, which may be for a gateway in front", async () => {
    const headers = { "x-api-key": OWN_KEY };
    expect((await postJson(translated.url, { user_content: "a" }, { headers })).status).toBe(200);
    const sent = translated.upstream.requests.at(-1)?.headers;
    expect(sent).toMatchObject({ authorization: `Bearer ${OPERATOR_KEY}` });
  });
});

describe("a request", () => {
  test("passes byte by byte to a service of Anthropic's kind, with the client's headers", async () => {
    const text = ` {"model": "${CLAUDE}",\n "max_tokens":9, "of_tomorrow":1e3, "messages":[{"role":"user","content":"\\u00e9"}]}`;
    const headers = { ...bearer(native.token), ...version, "anthropic-beta": "a-1,b-2" };
    const described = { ...headers, "content-type": "application/json" };
    const reply = await postJson(messagesAt(native, "?beta=true"), text, { headers: described });
    expect(reply.status).toBe(200);
    expect(native.upstream.requests.at(-1)).toMatchObject({
      path: "/v1/messages?beta=true",
      bodyText: text,
      headers: { "anthropic-version": "2024-01-01", "anthropic-beta": "a-1,b-2" },
    });
    expect(reply.headers).not.toHaveProperty("x-parley-dropped");
  });

  test("is sent without a credential in its body, and without lookalikes of its fields", async () => {
    const body = { ...question(CLAUDE), api_key: "sk-lost", MAX_TOKENS: 9_999 };
    await postJson(messagesAt(native), body, { headers: bearer(native.token) });
    expect(native.upstream.requests.at(-1)?.json).toEqual(question(CLAUDE));
  });

  test("to a service of another kind has none of those headers, and names the query", async () => {
    const headers = { ...bearer(translated.token), ...version, "anthropic-beta": "a-1" };
    const reply = await postJson(messagesAt(translated, "?beta=true"), question(MODEL), {
      headers,
    });
    expect(reply.headers["x-parley-dropped"]).toBe("?beta");
    const sent = translated.upstream.requests.at(-1);
    expect(sent?.path).toBe("/v1/chat/completions");
    expect(Object.keys(sent?.headers ?? {}).join()).not.toContain("anthropic");
  });

  test.each(["/messages", "//v1/messages", "/v1//messages", "/messages/count_tokens"])(
    "is taken at %s",
    async (path) => {
      const url = translated.parley.origin + path;
      const headers = bearer(translated.token);
      expect((await postJson(url, question(MODEL), { headers })).status).toBe(200);
    },
  );

  test("that is repeated with its Idempotency-Key is asked once", async () => {
    const { length } = translated.upstream.requests;
    const headers = { "x-api-key": translated.token, "idempotency-key": "once" };
    const replies = [];
    for (let time = 0; time < 2; time += 1) {
      replies.push(await postJson(messagesAt(translated), question(MODEL), { headers }));
    }
    expect(replies[1]?.text).toBe(replies[0]?.text);
    expect(translated.upstream.requests).toHaveLength(length + 1);
  });

  test.each<[string, object]>([
    ["model", { model: 5 }],
    ["max_tokens", { max_tokens: 0 }],
    ["messages", { messages: [] }],
    ["messages[0].content", { messages: [{ role: "user" }] }],
    ["messages[0].content[0].type", { messages: [{ role: "user", content: [{}] }] }],
  ])("is refused by Parley for a wrong %s", async (field, fields) => {
    const body = { ...question(MODEL), ...fields };
    const headers = bearer(translated.token);
    expect(await postJson(messagesAt(translated), body, { headers })).toMatchObject({
      status: 400,
      json: { error: { type: "invalid_request_error", details: { field } } },
    });
  });

  test("to an unknown path of Anthropic's API is refused in its form", async () => {
    const url = `${translated.parley.origin}/v1/messages/batches`;
    const reply = await postJson(url, {}, { headers: { ...bearer(translated.token), ...version } });
    expect(reply).toMatchObject({
      status: 404,
      json: { type: "error", error: { type: "not_found_error" } },
    });
  });
});

test("a limit and a quota are rate limits to Anthropic's clients", async () => {
  const limited = await startTokenScene({ MINUTE_LIMIT: "2" });
  const { token } = await limited.issue({ requests_per_day: 1 });
  const ask = () => postJson(messagesAt(limited), question(MODEL), { headers: bearer(token) });
  expect((await ask()).status).toBe(200);
  const codes = [];
  for (let time = 0; time < 2; time += 1) {
    const { status, json } = await ask();
    expect({ status, json }).toMatchObject({
      status: 429,
      json: { error: { type: "rate_limit_error" } },
    });
    codes.push((json as { error: { details: { error_code: string } } }).error.details.error_code);
  }
  expect(codes[0]).toBe("quota_exceeded");
});

const cached = {
  input_tokens: 10,
  cache_read_input_tokens: 1_000,
  cache_creation_input_tokens: 300,
  cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
  output_tokens: 40,
  output_tokens_details: { thinking_tokens: 30 },
};

test("the same answer costs the same in either language, whole or streamed", async () => {
  native.upstream.behave(createAnthropicAnswer({ usage: cached, thinking: "hm" }));
  const price = { input: "3", cached_input: "0.3", output: "15", cache_write: "3.75" };
  const prices = { ...price, cache_write_1h: "6", reasoning: "20" };
  await admin(native.parley.origin, "PUT", `/prices/${CLAUDE}`, prices);
  const headers = bearer(native.token);
  for (const stream of [false, true]) {
    for (const url of [messagesAt(native), native.chat]) {
      const { text } = await openStream(url, { ...question(CLAUDE), stream }, { headers });
      await text();
    }
  }
  const rows = native.rows().slice(-4);
  native.upstream.behave(anthropicAnswer);
  const [first] = rows;
  expect(rows.map(({ dialect }) => dialect)).toEqual([
    "anthropic",
    "openai",
    "anthropic",
    "openai",
  ]);
  for (const row of rows) {
    expect(row).toMatchObject({
      prompt_tokens: 1_310,
      cached_tokens: 1_000,
      completion_tokens: 40,
      total_tokens: 1_350,
      cost: first?.cost,
      price: "3,0.3,15,cache_write_1h=6*200,cache_write=3.75*100,reasoning=20*30",
      provenance: "reported",
      upstream_id: expect.stringMatching(/^msg_/),
    });
  }
});

test("a client that has its last event finds the answer in the ledger", async () => {
  const hold = Promise.withResolvers<void>();
  native.upstream.behave(createAnthropicAnswer({ holds: () => hold.promise }));
  const headers = bearer(native.token);
  const body = { ...question(CLAUDE), stream: true };
  for (const [url, last] of [
    [messagesAt(native), /"message_stop"/],
    [native.chat, /\[DONE\]/],
  ] as const) {
    const before = native.rows().length;
    const { events, hangUp } = await openStream(url, body, { headers });
    for await (const event of events) if (last.test(event)) break;
    expect(native.rows().slice(before)).toMatchObject([{ outcome: "completed", total_tokens: 18 }]);
    hangUp();
  }
  hold.resolve();
  native.upstream.behave(anthropicAnswer);
});

test("a base URL of Anthropic's kind may have its /v1 or not", async () => {
  const { upstream } = native;
  const settings = { OPENAI_KIND: "anthropic", OPENAI_URL: upstream.url.replace(/\/v1$/, "") };
  const bare = await startScene(settings);
  const headers = bearer(OWN_KEY);
  const reply = await postJson(`${bare.parley.origin}/v1/messages`, question(CLAUDE), { headers });
  expect(reply.status).toBe(200);
  expect(upstream.requests.at(-1)?.path).toBe("/v1/messages");
});

test("an error in a service's stream is told with its status, and later as an event", async () => {
  const error = { type: "overloaded_error", message: "Overloaded" };
  native.upstream.behave({
    name: "an error first",
    run: async ({ response, write }) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      await write(`event: error\ndata: ${JSON.stringify({ type: "error", error })}\n\n`);
      response.end();
    },
  });
  const headers = bearer(native.token);
  const body = { ...question(CLAUDE), stream: true };
  const first = await postJson(messagesAt(native), body, { headers });
  expect(first).toMatchObject({ status: 529, json: { error: { type: "overloaded_error" } } });
  native.upstream.behave(
    createAnthropicAnswer({
      breaks: async ({ write, response }) => {
        await write(`event: error\ndata: ${JSON.stringify({ type: "error", error })}\n\n`);
        response.end();
      },
    }),
  );
  const later = await postJson(messagesAt(native), body, { headers });
  expect(later.status).toBe(200);
  expect(later.text).toMatch(
    /event: error\ndata: \{"type":"error","error":\{"type":"overloaded_error"/,
  );
  expect(later.text).not.toContain("message_stop");
  native.upstream.behave(refuse(500));
  expect((await postJson(messagesAt(native), body, { headers })).status).toBe(502);
  native.upstream.behave(anthropicAnswer);
});
