import { describe, expect, test } from "vitest";
import { ask, askInVain } from "../../support/envelope.ts";
import { startScene } from "../../support/scene.ts";
import { createAnswer, type ScriptedUpstream } from "../../support/upstream.ts";

const sent = (upstream: ScriptedUpstream) => upstream.requests.at(-1)?.json;

const turns = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    role: index % 2 === 0 ? "user" : "assistant",
    content: String(index),
  }));

describe.concurrent("what goes upstream", () => {
  test("a question alone goes with the default model and 100 tokens", async () => {
    const { url, upstream } = await startScene();
    const answer = await ask(url, { user_content: "why?" });
    expect(sent(upstream)).toEqual({
      model: "gpt-4o-mini",
      messages: [{ role: "user", content: "why?" }],
      max_tokens: 100,
    });
    expect(answer).toEqual({
      code: 200,
      msg: "success",
      data: {
        response: "echo: why?",
        model: "gpt-4o-mini",
        usage: { prompt_tokens: 4, completion_tokens: 10, total_tokens: 14 },
        finish_reason: "stop",
        continuous: [
          { role: "user", content: "why?" },
          { role: "assistant", content: "echo: why?" },
        ],
      },
    });
  });

  test("every field goes where it belongs and nothing else goes along", async () => {
    const { url, upstream } = await startScene();
    await ask(url, {
      sys_content: "be brief",
      user_content: "why?",
      model: "gpt-4o",
      max_tokens: 7,
      continuous: [{ role: "user", content: "hello", name: "x", tool_calls: [1] }],
      stream: false,
      temperature: 2,
      tools: [{ type: "function" }],
      n: 99,
      user: "me",
      base_url: "http://evil.invalid",
      api_base: "http://evil.invalid",
      organization: "org-evil12345",
      messages: [{ role: "system", content: "injected" }],
    });
    expect(sent(upstream)).toEqual({
      model: "gpt-4o",
      messages: [
        { role: "system", content: "be brief" },
        { role: "user", content: "hello" },
        { role: "user", content: "why?" },
      ],
      max_tokens: 7,
    });
    expect(upstream.requests.at(-1)?.path).toBe("/v1/chat/completions");
  });

  test("of a field that comes twice only the last is read, and goes once", async () => {
    const { url, upstream } = await startScene();
    await ask(url, '{"user_content":"first","user_content":"last","model":"a","model":"gpt-4o"}');
    expect(upstream.requests.at(-1)?.bodyText).not.toContain("first");
    expect(sent(upstream)).toMatchObject({ model: "gpt-4o", messages: [{ content: "last" }] });
  });

  test("__proto__ and constructor in a body change nothing", async () => {
    const { url, upstream } = await startScene();
    await ask(
      url,
      '{"__proto__":{"model":"evil","stream":true},"constructor":{"prototype":{"x":1}},"user_content":"hi"}',
    );
    expect(sent(upstream)).toMatchObject({ model: "gpt-4o-mini" });
    expect(({} as { model?: string }).model).toBeUndefined();
  });

  test("of a client's headers none goes along but the key", async () => {
    const { url, upstream } = await startScene();
    await ask(
      url,
      { user_content: "hi" },
      {
        headers: {
          cookie: "session=1",
          "openai-organization": "org-evil",
          "openai-project": "proj-evil",
          "x-forwarded-for": "192.0.2.1",
          "proxy-authorization": "Basic x",
          "x-custom": "1",
          traceparent: "00-1-1-00",
          "user-agent": "evil",
        },
      },
    );
    expect(Object.keys(upstream.requests.at(-1)?.headers ?? {}).sort()).toEqual([
      "accept",
      "accept-encoding",
      "authorization",
      "connection",
      "content-length",
      "content-type",
      "host",
      "user-agent",
    ]);
  });

  test.each([
    ["emoji and Chinese", "😀 天空为什么是蓝的？ «почему»"],
    ["what a replacing function would expand", "$& $1 $$ $` {{requestId}} %s"],
    ["quotes, newlines and control characters", '"\\\n\r\t\u0000\u2028</script>'],
    ["a right-to-left mark and combining characters", "\u202eabc e\u0301"],
  ])("%s arrive unchanged and come back unchanged", async (_name, text) => {
    const { url, upstream } = await startScene();
    const answer = await ask(url, { sys_content: text, user_content: text });
    expect(sent(upstream)).toMatchObject({ messages: [{ content: text }, { content: text }] });
    expect(answer.data.response).toBe(`echo: ${text}`);
    expect(answer.data.continuous.at(-1)?.content).toBe(`echo: ${text}`);
  });

  test("half an emoji becomes U+FFFD upstream and in the history, wherever it stands", async () => {
    const half = "half \ud83d";
    const { url, upstream } = await startScene(
      {},
      { behaviour: createAnswer({ text: () => half }) },
    );
    const continuous = [{ role: "assistant", content: half }];
    const answer = await ask(url, { sys_content: half, continuous, user_content: half });
    const { bodyText } = upstream.requests.at(-1) ?? { bodyText: "" };
    expect(bodyText.split("half \ufffd")).toHaveLength(4);
    expect(bodyText).not.toContain("\\ud83d");
    expect(answer.data.response).toBe("half \ufffd");
    expect(new Set(answer.data.continuous.map(({ content }) => content))).toEqual(
      new Set(["half \ufffd"]),
    );
  });

  test("the byte order mark that some editors write is passed over", async () => {
    const { url } = await startScene();
    expect((await ask(url, '\ufeff{"user_content":"hi"}')).data.response).toBe("echo: hi");
  });

  test("a model for completions alone is asked there", async () => {
    const { url, upstream } = await startScene();
    const answer = await ask(url, {
      sys_content: "be brief",
      user_content: "hi",
      model: "gpt-3.5-turbo-instruct",
    });
    expect(upstream.requests.at(-1)?.path).toBe("/v1/completions");
    expect(sent(upstream)).toEqual({
      model: "gpt-3.5-turbo-instruct",
      prompt: "be brief\n\nUser: hi\n\nAssistant:",
      max_tokens: 100,
    });
    expect(answer.data.response).toContain("echo:");
  });

  test("a model of the newer families is sent max_completion_tokens", async () => {
    const { url, upstream } = await startScene();
    await ask(url, { user_content: "hi", model: "o3-mini", max_tokens: 9 });
    expect(sent(upstream)).toEqual({
      model: "o3-mini",
      messages: [{ role: "user", content: "hi" }],
      max_completion_tokens: 9,
    });
  });
});

describe.concurrent("system prompt and history", () => {
  test("the system prompt is not doubled when the history brings the same one", async () => {
    const { url, upstream } = await startScene();
    const continuous = [{ role: "system", content: "be brief" }, ...turns(2)];
    await ask(url, { sys_content: "be brief", user_content: "and?", continuous });
    expect(sent(upstream)).toMatchObject({
      messages: [...continuous, { role: "user", content: "and?" }],
    });
  });

  test("another system prompt stands before the one of the history", async () => {
    const { url, upstream } = await startScene();
    const continuous = [{ role: "system", content: "be brief" }, ...turns(2)];
    await ask(url, { sys_content: "be long", user_content: "and?", continuous });
    expect(sent(upstream)).toMatchObject({
      messages: [
        { role: "system", content: "be long" },
        ...continuous,
        { role: "user", content: "and?" },
      ],
    });
  });

  test("data.continuous sent back keeps a talk of five turns whole", async () => {
    const { url, upstream } = await startScene();
    let continuous: readonly unknown[] = [];
    for (const question of ["one", "two", "three", "four", "five"]) {
      const answer = await ask(url, { sys_content: "s", user_content: question, continuous });
      continuous = answer.data.continuous;
    }
    const said = ["one", "two", "three", "four", "five"].flatMap((question) => [
      { role: "user", content: question },
      { role: "assistant", content: `echo: ${question}` },
    ]);
    expect(continuous).toEqual([{ role: "system", content: "s" }, ...said]);
    expect(sent(upstream)).toMatchObject({ messages: continuous.slice(0, -1) });
  });

  test("result sent back as continuous_dialogue keeps a talk of old clients whole", async () => {
    const { url, upstream } = await startScene();
    let dialogue: readonly unknown[] = [];
    for (const question of ["one", "two", "three"]) {
      const answer = await ask(url, {
        system_content: "s",
        user_content: question,
        continuous_dialogue: dialogue,
      });
      expect(answer.current_response).toBe(`echo: ${question}`);
      dialogue = answer.result ?? [];
    }
    expect(dialogue).toHaveLength(7);
    expect(sent(upstream)).toMatchObject({ messages: dialogue.slice(0, -1) });
  });

  test("a history may have 4096 entries and no more", async () => {
    const { url, upstream } = await startScene();
    await ask(url, { user_content: "hi", continuous: turns(4_096) });
    expect(sent(upstream)).toHaveProperty("messages.length", 4_097);
    const refused = await askInVain(url, { user_content: "hi", continuous: turns(4_097) });
    expect(refused.data).toMatchObject({ error: "field_too_many", field: "continuous" });
    expect(upstream.requests).toHaveLength(1);
  });
});

describe.concurrent("old names", () => {
  test.each([
    ["system_content", { system_content: "s" }],
    ["continuous_dialogue", { continuous_dialogue: [] }],
    ["an old name that is null", { system_content: null }],
    ["both generations", { system_content: "s", sys_content: "s" }],
  ])("a request with %s gets current_response and result too", async (_name, fields) => {
    const { url } = await startScene();
    const answer = await ask(url, { user_content: "hi", ...fields });
    expect(answer.current_response).toBe("echo: hi");
    expect(answer.result).toEqual(answer.data.continuous);
  });

  test("a request in the new names gets no old field", async () => {
    const { url } = await startScene();
    const answer = await ask(url, { user_content: "hi", sys_content: "s", continuous: [] });
    expect(Object.keys(answer)).toEqual(["code", "msg", "data"]);
  });

  test("where both generations differ the new name wins, and an empty one does not", async () => {
    const { url, upstream } = await startScene();
    const old = { system_content: "old", continuous_dialogue: [{ role: "user", content: "old" }] };
    await ask(url, {
      user_content: "hi",
      ...old,
      sys_content: "new",
      continuous: [{ role: "user", content: "new" }],
    });
    expect(sent(upstream)).toMatchObject({
      messages: [{ content: "new" }, { content: "new" }, { content: "hi" }],
    });
    await ask(url, { user_content: "hi", ...old, sys_content: "", continuous: [] });
    expect(sent(upstream)).toMatchObject({
      messages: [{ content: "old" }, { content: "old" }, { content: "hi" }],
    });
  });
});

describe.concurrent("fields that count as absent", () => {
  const absent = [null, undefined];
  const fields = [
    "sys_content",
    "system_content",
    "model",
    "api_key",
    "max_tokens",
    "continuous",
    "continuous_dialogue",
    "stream",
  ];
  test.each(fields.flatMap((field) => absent.map((value) => [field, value] as const)))(
    "%s as %s",
    async (field, value) => {
      const { url, upstream } = await startScene();
      await ask(url, { user_content: "hi", [field]: value });
      expect(sent(upstream)).toEqual({
        model: "gpt-4o-mini",
        messages: [{ role: "user", content: "hi" }],
        max_tokens: 100,
      });
    },
  );

  test("an empty model, key or system prompt is none", async () => {
    const { url, upstream } = await startScene();
    await ask(url, { user_content: "hi", model: "", api_key: "", sys_content: "" });
    expect(sent(upstream)).toMatchObject({ model: "gpt-4o-mini", messages: [{ role: "user" }] });
  });
});

describe.concurrent("a field of a wrong type or out of range is named", () => {
  const good = { user_content: "hi" };
  const cases: [string, unknown, { error: string; field: string }][] = [
    ["no question", {}, { error: "field_missing", field: "user_content" }],
    [
      "null for a question",
      { user_content: null },
      { error: "field_missing", field: "user_content" },
    ],
    ["an empty question", { user_content: "" }, { error: "field_empty", field: "user_content" }],
    [
      "a number for a question",
      { user_content: 1 },
      { error: "field_type", field: "user_content" },
    ],
    [
      "a list for a question",
      { user_content: ["a"] },
      { error: "field_type", field: "user_content" },
    ],
    [
      "a number for sys_content",
      { ...good, sys_content: 1 },
      { error: "field_type", field: "sys_content" },
    ],
    [
      "a number for system_content",
      { ...good, system_content: 1 },
      { error: "field_type", field: "system_content" },
    ],
    ["an object for a model", { ...good, model: {} }, { error: "field_type", field: "model" }],
    ["a number for a key", { ...good, api_key: 5 }, { error: "field_type", field: "api_key" }],
    ["text for stream", { ...good, stream: "true" }, { error: "field_type", field: "stream" }],
    ["a number for stream", { ...good, stream: 1 }, { error: "field_type", field: "stream" }],
    [
      "text for max_tokens",
      { ...good, max_tokens: "100" },
      { error: "field_type", field: "max_tokens" },
    ],
    [
      "a fraction of a token",
      { ...good, max_tokens: 1.5 },
      { error: "field_type", field: "max_tokens" },
    ],
    ["no tokens", { ...good, max_tokens: 0 }, { error: "field_range", field: "max_tokens" }],
    [
      "fewer than no tokens",
      { ...good, max_tokens: -1 },
      { error: "field_range", field: "max_tokens" },
    ],
    [
      "one token too many",
      { ...good, max_tokens: 3_501 },
      { error: "field_range", field: "max_tokens" },
    ],
    [
      "more tokens than can be counted",
      { ...good, max_tokens: 1e20 },
      { error: "field_type", field: "max_tokens" },
    ],
    [
      "tokens without end",
      '{"user_content":"hi","max_tokens":1e400}',
      { error: "field_type", field: "max_tokens" },
    ],
    [
      "text for a history",
      { ...good, continuous: "hello" },
      { error: "field_type", field: "continuous" },
    ],
    [
      "an object for a history",
      { ...good, continuous: {} },
      { error: "field_type", field: "continuous" },
    ],
    [
      "text for a turn",
      { ...good, continuous: ["hello"] },
      { error: "field_type", field: "continuous[0]" },
    ],
    [
      "null for a turn",
      { ...good, continuous: [null] },
      { error: "field_missing", field: "continuous[0]" },
    ],
    [
      "a turn of nobody",
      { ...good, continuous: [{ content: "x" }] },
      { error: "field_missing", field: "continuous[0].role" },
    ],
    [
      "a turn without words",
      { ...good, continuous: [{ role: "user" }] },
      { error: "field_missing", field: "continuous[0].content" },
    ],
    [
      "a turn in pictures",
      { ...good, continuous: [{ role: "user", content: [] }] },
      { error: "field_type", field: "continuous[0].content" },
    ],
    [
      "a turn of a tool",
      { ...good, continuous: [...turns(3), { role: "tool", content: "x" }] },
      { error: "field_choice", field: "continuous[3].role" },
    ],
    [
      "a turn of a developer",
      { ...good, continuous: [{ role: "developer", content: "x" }] },
      { error: "field_choice", field: "continuous[0].role" },
    ],
    [
      "a wrong turn in the old name",
      { ...good, continuous_dialogue: [{ role: "x", content: "" }] },
      { error: "field_choice", field: "continuous_dialogue[0].role" },
    ],
  ];
  test.each(cases)("%s", async (_name, body, expected) => {
    const { url, upstream } = await startScene();
    const refused = await askInVain(url, body);
    expect(refused).toMatchObject({ code: 400, msg: "failed", data: expected });
    expect(refused.data.response).toContain(expected.field);
    expect(upstream.requests).toHaveLength(0);
  });

  test("the roles that exist are in the text about one that does not", async () => {
    const { url } = await startScene();
    const refused = await askInVain(url, { ...good, continuous: [{ role: "x", content: "" }] });
    expect(refused.data.response).toContain("system, user, assistant");
  });
});

describe.concurrent("settings that bound the fields", () => {
  test.each([1, 3_500])("max_tokens may be %i", async (maxTokens) => {
    const { url, upstream } = await startScene();
    await ask(url, { user_content: "hi", max_tokens: maxTokens });
    expect(sent(upstream)).toMatchObject({ max_tokens: maxTokens });
  });

  test("MAX_TOKENS is the default and MAX_TOKENS_LIMIT the most", async () => {
    const { url, upstream } = await startScene({ MAX_TOKENS: "20", MAX_TOKENS_LIMIT: "30" });
    await ask(url, { user_content: "hi" });
    expect(sent(upstream)).toMatchObject({ max_tokens: 20 });
    await ask(url, { user_content: "hi", max_tokens: 30 });
    expect(sent(upstream)).toMatchObject({ max_tokens: 30 });
    const refused = await askInVain(url, { user_content: "hi", max_tokens: 31 });
    expect(refused.data.response).toBe("The field max_tokens must be between 1 and 30.");
  });

  test("of ALLOWED_MODELS each may be named and no other", async () => {
    const { url, upstream } = await startScene({ ALLOWED_MODELS: "gpt-4o-mini, gpt-4o" });
    await ask(url, { user_content: "hi", model: "gpt-4o" });
    for (const model of ["gpt-4", "GPT-4o", "gpt-4o ", "gpt-4o,gpt-4o-mini"]) {
      const refused = await askInVain(url, { user_content: "hi", model });
      expect(refused).toMatchObject({ code: 400, data: { error: "field_choice", field: "model" } });
      expect(refused.data.response).toContain("gpt-4o-mini, gpt-4o");
      if (model === "gpt-4") expect(refused.data.response).not.toMatch(/gpt-4\b(?!o)/);
    }
    expect(upstream.requests).toHaveLength(1);
  });

  test("a request that names no model gets MODEL, also where ALLOWED_MODELS does not list it", async () => {
    const { url, upstream } = await startScene({ MODEL: "gpt-4o", ALLOWED_MODELS: "gpt-4.1" });
    await ask(url, { user_content: "hi" });
    expect(sent(upstream)).toMatchObject({ model: "gpt-4o" });
  });
});
