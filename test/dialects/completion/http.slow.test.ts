import { describe, expect, test } from "vitest";
import {
  canary,
  html200,
  invalidJson200,
  refuse,
  sseWhereJsonAsked,
} from "../../support/faults.ts";
import { postJson } from "../../support/http.ts";
import { OPERATOR_KEY, OWN_KEY } from "../../support/scene.ts";
import { type Behaviour, createAnswer, goodHeaders } from "../../support/upstream.ts";
import { tell } from "../openai/support.ts";
import { complete, completeInVain, OWN, startCompletion } from "./support.ts";

const messages = [
  { role: "system", content: "be brief" },
  { role: "user", content: "why?", name: "ann" },
];

describe.concurrent("a prompt or messages", () => {
  test("a prompt is the one message of a user, and the answer is the whole completion object", async () => {
    const { at, upstream } = await startCompletion();
    const answer = await complete(at, { prompt: "Привет?" }, { headers: OWN });
    expect(answer).toMatchObject({ text: "echo: Привет?", model: "gpt-4o-mini" });
    expect(answer.choices).toMatchObject([
      { index: 0, finish_reason: "stop", message: { content: "echo: Привет?" } },
    ]);
    expect(upstream.requests).toMatchObject([
      { path: "/v1/chat/completions", headers: { authorization: `Bearer ${OWN_KEY}` } },
    ]);
    expect(upstream.requests[0]?.json).toEqual({
      model: "gpt-4o-mini",
      messages: [{ role: "user", content: "Привет?" }],
    });
  });

  test("messages go on as they are, fields and kinds of content that we do not know too", async () => {
    const { at, upstream } = await startCompletion();
    const odd = [
      ...messages,
      { role: "assistant", content: null, tool_calls: [{ id: "c1", type: "function" }] },
      { role: "tool", tool_call_id: "c1", content: "42" },
      { role: "user", content: [{ type: "text", text: "and?" }], extra: { deep: [1, null] } },
    ];
    expect((await complete(at, { messages: odd })).text).toBe("echo: and?");
    expect(upstream.requests[0]?.json).toEqual({ model: "gpt-4o-mini", messages: odd });
  });

  test("a prompt wins over messages, which are not looked at then", async () => {
    const { at, upstream } = await startCompletion();
    await complete(at, { prompt: "hi", messages: "not even a list" });
    await complete(at, { prompt: "", messages });
    await complete(at, { prompt: null, messages, generate_params: null });
    expect(upstream.requests.map(({ json }) => json)).toMatchObject([
      { messages: [{ role: "user", content: "hi" }] },
      { messages },
      { messages },
    ]);
  });

  test("the answer is application/json with the headers of every answer", async () => {
    const { at } = await startCompletion({ MINUTE_LIMIT: "9" });
    const { headers } = await postJson(at, { prompt: "hi" });
    expect(headers["content-type"]).toMatch(/^application\/json/);
    expect(headers["x-request-id"]).toMatch(/^req-/);
    expect(headers["content-language"]).toBe("en");
    expect(headers.ratelimit).toBe('"minute";r=8;t=60');
    expect(headers["set-cookie"]).toBeUndefined();
    expect(headers["openai-organization"]).toBeUndefined();
  });
});

describe.concurrent("generate_params", () => {
  test("names the model by model_name or model, of which model_name wins", async () => {
    const { at, upstream } = await startCompletion({ MODEL: "gpt-4o" });
    for (const generate_params of [
      {},
      { model: "m-1" },
      { model_name: "m-2", model: "m-1" },
      { model_name: "", model: "m-1" },
      { model_name: null, model: null },
    ]) {
      await complete(at, { prompt: "hi", generate_params });
    }
    const asked = upstream.requests.map(({ json }) => Reflect.get(Object(json), "model"));
    expect(asked).toEqual(["gpt-4o", "m-1", "m-2", "m-1", "gpt-4o"]);
    expect(upstream.requests[2]?.json).not.toHaveProperty("model_name");
  });

  test("passes everything else on untouched", async () => {
    const { at, upstream } = await startCompletion();
    const passed = {
      temperature: 0.8,
      max_tokens: 3_000,
      top_p: null,
      stop: ["\n", "."],
      logit_bias: { "50256": -100 },
      response_format: { type: "json_schema", json_schema: { name: "n", schema: {} } },
      something_new: { deep: [1, "two"] },
      stream: false,
    };
    await complete(at, { prompt: "hi", generate_params: passed });
    expect(upstream.requests[0]?.json).toEqual({
      model: "gpt-4o-mini",
      messages: [{ role: "user", content: "hi" }],
      ...passed,
    });
  });

  test("smuggles neither messages nor a prompt nor a key in", async () => {
    const { at, upstream } = await startCompletion();
    const generate_params = { messages: [], prompt: "other", api_key: "sk-hidden", seed: 7 };
    await complete(at, { prompt: "hi", generate_params });
    expect(upstream.requests[0]?.json).toEqual({
      model: "gpt-4o-mini",
      messages: [{ role: "user", content: "hi" }],
      seed: 7,
    });
    expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${OPERATOR_KEY}`);
  });

  test.each([
    ["o3-mini", { max_tokens: 5 }, { max_completion_tokens: 5 }],
    [
      "gpt-5",
      { max_tokens: 5, max_completion_tokens: 6 },
      { max_tokens: 5, max_completion_tokens: 6 },
    ],
    ["gpt-4o", { max_tokens: 5 }, { max_tokens: 5 }],
  ])(
    "has the bound of the answer under the name that %s wants",
    async (model_name, given, sent) => {
      const { at, upstream } = await startCompletion();
      await complete(at, { prompt: "hi", generate_params: { model_name, ...given } });
      expect(upstream.requests[0]?.json).toEqual({
        model: model_name,
        messages: [{ role: "user", content: "hi" }],
        ...sent,
      });
    },
  );

  test("keeps numbers that JavaScript cannot count to, in both directions", async () => {
    const big = "900719925474099312345";
    const answer = { choices: [{ index: 0, message: { content: "x" } }], created: 1 };
    const behaviour: Behaviour = {
      name: "a big number",
      run: ({ request, response }) => {
        response.writeHead(200, goodHeaders(request, "application/json"));
        response.end(JSON.stringify(answer).replace('"created":1', `"created":${big}`));
      },
    };
    const { at, upstream } = await startCompletion({}, { behaviour });
    const body = `{"messages":[{"role":"user","content":"hi","n":${big}}],"generate_params":{"seed":${big}}}`;
    const { text } = await postJson(at, body, { headers: { "content-type": "application/json" } });
    expect(upstream.requests[0]?.bodyText).toContain(`"n":${big}`);
    expect(upstream.requests[0]?.bodyText).toContain(`"seed":${big}`);
    expect(text).toContain(`"created":${big}`);
  });

  test("may ask for listed models only", async () => {
    const { at, upstream } = await startCompletion({ ALLOWED_MODELS: "gpt-4o-mini, gpt-4o" });
    await complete(at, { prompt: "hi", generate_params: { model_name: "gpt-4o" } });
    for (const name of ["model_name", "model"]) {
      const body = { prompt: "hi", generate_params: { [name]: "gpt-9" } };
      const { code, field, reply } = await completeInVain(at, body);
      expect([reply.status, code, field]).toEqual([400, "field_choice", `generate_params.${name}`]);
    }
    expect(upstream.requests).toHaveLength(1);
  });
});

describe.concurrent("a body that is wrong is a 400 that names the field", () => {
  const wrong: [string, unknown, string, string | undefined][] = [
    ["neither prompt nor messages", {}, "field_missing", "prompt"],
    ["both null", { prompt: null, messages: null }, "field_missing", "prompt"],
    ["an empty prompt alone", { prompt: "" }, "field_empty", "prompt"],
    ["no messages in the list", { messages: [] }, "field_missing", "prompt"],
    ["a prompt that is a number", { prompt: 7 }, "field_type", "prompt"],
    ["messages that are text", { messages: "hi" }, "field_type", "messages"],
    ["a message that is text", { messages: ["hi"] }, "field_type", "messages[0]"],
    [
      "a message without a role",
      { messages: [{ content: "hi" }] },
      "field_missing",
      "messages[0].role",
    ],
    [
      "a role that is empty",
      { messages: [{ role: "", content: "x" }] },
      "field_empty",
      "messages[0].role",
    ],
    [
      "no content",
      { messages: [messages[0], { role: "user" }] },
      "field_missing",
      "messages[1].content",
    ],
    [
      "content that is a number",
      { messages: [{ role: "user", content: 7 }] },
      "field_type",
      "messages[0].content",
    ],
    [
      "too many messages",
      { messages: Array(4_097).fill(messages[0]) },
      "field_too_many",
      "messages",
    ],
    ["parameters in a list", { prompt: "x", generate_params: [] }, "field_type", "generate_params"],
    ["parameters as text", { prompt: "x", generate_params: "t" }, "field_type", "generate_params"],
    [
      "a model that is a number",
      { prompt: "x", generate_params: { model_name: 7 } },
      "field_type",
      "generate_params.model_name",
    ],
    [
      "a stream that is text",
      { prompt: "x", generate_params: { stream: "yes" } },
      "field_type",
      "generate_params.stream",
    ],
    [
      "a bound below 0",
      { prompt: "x", generate_params: { max_tokens: -2 } },
      "field_type",
      "generate_params.max_tokens",
    ],
    [
      "options that are text",
      { prompt: "x", generate_params: { stream_options: "x" } },
      "field_type",
      "generate_params.stream_options",
    ],
    ["a list", [], "body_not_object", undefined],
    ["no JSON", "{", "body_not_json", undefined],
  ];
  test.each(wrong)("%s", async (_what, body, code, field) => {
    const { at, upstream } = await startCompletion();
    const headers = { "content-type": "application/json" };
    const refusal = await completeInVain(at, body, { headers });
    expect(refusal).toMatchObject({ reply: { status: 400 }, code });
    expect(refusal.field).toBe(field);
    if (field !== undefined) expect(refusal.text).toContain(field);
    expect(upstream.requests).toHaveLength(0);
  });
});

describe.concurrent("what the upstream does wrong", () => {
  test.each([
    [400, 400, "upstream_refused"],
    [401, 401, "key_rejected"],
    [404, 400, "upstream_refused"],
    [429, 429, "upstream_rate_limited"],
    [500, 502, "upstream_failed"],
  ])("%i becomes %i", async (status, expected, code) => {
    const { at } = await startCompletion({}, { behaviour: refuse(status) });
    const refusal = await completeInVain(at, { prompt: "hi" }, { headers: OWN });
    expect([refusal.reply.status, refusal.code]).toEqual([expected, code]);
    if (expected !== 400) expect(refusal.reply.text).not.toContain(canary);
  });

  test.each([html200, invalidJson200, sseWhereJsonAsked])(
    "$name is a bad answer",
    async (behaviour) => {
      const { at } = await startCompletion({}, { behaviour });
      const { reply, code } = await completeInVain(at, { prompt: "hi" });
      expect([reply.status, code]).toEqual([502, "upstream_bad_answer"]);
      expect(reply.text).not.toContain(canary);
    },
  );

  test.each([
    ["an array", [1]],
    ["an object without choices", { id: "x" }],
    ["no choice at all", { choices: [] }],
    ["a choice without a message", { choices: [{ text: "x" }] }],
  ])("%s in the place of a completion is a bad answer", async (_what, json) => {
    const { at } = await startCompletion({}, { behaviour: tell(json) });
    const { reply, code } = await completeInVain(at, { prompt: "hi" });
    expect([reply.status, code]).toEqual([502, "upstream_bad_answer"]);
    expect(reply.text).not.toContain(canary);
  });

  test("an error in the place of a completion is that error", async () => {
    const { at } = await startCompletion({}, { behaviour: tell({ error: { message: canary } }) });
    const { reply, code } = await completeInVain(at, { prompt: "hi" });
    expect([reply.status, code]).toEqual([502, "upstream_failed"]);
    expect(reply.text).not.toContain(canary);
  });

  test.each([
    ["calls a tool", { content: null, tool_calls: [] }, ""],
    ["refuses", { content: null, refusal: "I can't." }, "I can't."],
  ])("an answer that %s has its text all the same", async (_what, message, text) => {
    const behaviour = tell({ choices: [{ index: 0, message }], text: "other", status: "other" });
    const { at } = await startCompletion({}, { behaviour });
    const { json } = await postJson(at, { prompt: "hi" });
    expect(json).toEqual({ choices: [{ index: 0, message }], text, status: "ok" });
  });
});

describe.concurrent("errors", () => {
  const prompts = {
    en: "The field prompt is missing.",
    ru: /prompt/,
    "zh-CN": /prompt/,
    "zh-TW": /prompt/,
  };
  test("are in the language of the caller", async () => {
    const { at } = await startCompletion();
    const seen = new Set<string>();
    for (const [language, text] of Object.entries(prompts)) {
      const headers = { "accept-language": language };
      const refusal = await completeInVain(at, {}, { headers });
      expect(refusal.text).toMatch(text);
      expect(refusal.reply.headers["content-language"]).toBe(language);
      seen.add(refusal.text);
    }
    expect(seen.size).toBe(4);
  });

  test.each([
    ["PUT", 405, "method_not_allowed"],
    ["DELETE", 405, "method_not_allowed"],
  ])("of %s are in the same form", async (method, status, code) => {
    const { at } = await startCompletion();
    const refusal = await completeInVain(at, {}, { method });
    expect([refusal.reply.status, refusal.code]).toEqual([status, code]);
    expect(refusal.reply.headers.allow).toBe("POST, GET");
  });

  test("of size and content type are those of every dialect", async () => {
    const { at } = await startCompletion({ MAX_BODY_BYTES: "2000" });
    const large = await completeInVain(at, { prompt: "x".repeat(3_000) });
    expect([large.reply.status, large.code]).toEqual([413, "body_too_large"]);
    const headers = { "content-type": "text/plain" };
    const plain = await completeInVain(at, { prompt: "x" }, { headers });
    expect([plain.reply.status, plain.code]).toEqual([415, "content_type_unsupported"]);
  });

  test("a limit is told with when to come back", async () => {
    const { at, upstream } = await startCompletion({ MINUTE_LIMIT: "1" });
    await complete(at, { prompt: "hi" });
    const refusal = await completeInVain(at, { prompt: "hi" });
    expect(refusal).toMatchObject({
      reply: { status: 429 },
      code: "rate_limited",
      window: "minute",
      limit: 1,
    });
    expect(Number(refusal.reply.headers["retry-after"])).toBeGreaterThan(0);
    expect(upstream.requests).toHaveLength(1);
  });
});

describe.concurrent("GET /chat_complete", () => {
  test.each(["en", "zh-CN", "zh-TW", "ru"])("explains itself in %s", async (language) => {
    const { at } = await startCompletion({ ACCESS_TOKEN: "secret-access", MINUTE_LIMIT: "1" });
    for (let count = 0; count < 3; count += 1) {
      const headers = { "accept-language": language };
      const {
        status,
        text,
        headers: got,
      } = await postJson(at, undefined, { method: "GET", headers });
      expect(status).toBe(200);
      expect(got["content-type"]).toBe("text/html; charset=utf-8");
      expect(got["content-security-policy"]).toMatch(
        /^default-src 'none'; style-src 'unsafe-inline'/,
      );
      expect(text).toContain(`<html lang="${language}">`);
      for (const name of [
        "access-token",
        "openai-token",
        "prompt",
        "messages",
        "generate_params",
      ]) {
        expect(text).toContain(`<dt>${name}</dt>`);
      }
      expect(text).not.toContain("completion_page");
      expect(text).not.toMatch(/<script|\son\w+=|secret-access|https?:\/\/(?!127)/);
    }
  });

  test("shows what the operator has set as text, never as markup", async () => {
    const { at } = await startCompletion({ MODEL: `"><b>&'` });
    const { text } = await postJson(at, undefined, { method: "GET" });
    expect(text).not.toContain("<b>");
    expect(text).toContain("&lt;b&gt;&amp;");
  });
});

test("the scripted upstream's text is what stands in text", async () => {
  const { at } = await startCompletion(
    {},
    { behaviour: createAnswer({ text: () => "你好 👋🏽" }) },
  );
  expect((await complete(at, { prompt: "hi" })).text).toBe("你好 👋🏽");
});
