import { describe, expect, test } from "vitest";
import type { ProxyError } from "../../../src/core/errors.ts";
import { toChatRequest } from "../../../src/upstream/translation/chat-request.ts";
import { Dropped } from "../../../src/upstream/translation/dropped.ts";
import { toMessagesRequest } from "../../../src/upstream/translation/messages-request.ts";
import { exactlyIn } from "../../../src/upstream/translation/object-in.ts";

const question = { role: "user", content: "hi" };
const asked = { model: "gpt-4o", max_tokens: 9, messages: [question] };
const chat = { model: "claude-sonnet-5", messages: [question] };

function toChat(more: object, model = "gpt-4o") {
  const dropped = new Dropped();
  const request = toChatRequest({ ...asked, ...more, model }, dropped);
  return { request, dropped: dropped.names };
}

function toMessages(more: object) {
  const dropped = new Dropped();
  return {
    request: toMessagesRequest({ ...chat, ...more }, 3_500, dropped),
    dropped: dropped.names,
  };
}

const user = (...content: object[]) => ({ messages: [{ role: "user", content }] });
const text = { type: "text", text: "hi" };

describe("Anthropic's request as OpenAI's", () => {
  test.each<[string, object, string[]]>([
    ["metadata", { metadata: { user_id: "u" } }, ["metadata"]],
    [
      "cache control of a block",
      user({ ...text, cache_control: { type: "ephemeral" } }),
      ["cache_control"],
    ],
    ["cache control of all", { cache_control: { type: "ephemeral" } }, ["cache_control"]],
    ["top_k", { top_k: 5 }, ["top_k"]],
    [
      "the tier and the container",
      { service_tier: "auto", container: "c" },
      ["service_tier", "container"],
    ],
    ["context management", { context_management: {} }, ["context_management"]],
    ["what nobody knows today", { of_tomorrow: 1 }, ["of_tomorrow"]],
    [
      "thinking, where the model can't",
      { thinking: { type: "enabled", budget_tokens: 2_000 } },
      ["thinking"],
    ],
    ["effort, where the model has none", { output_config: { effort: "low" } }, ["output_config"]],
    [
      "that a tool has failed",
      user({ type: "tool_result", tool_use_id: "t", content: "no", is_error: true }),
      ["is_error"],
    ],
    ["nothing where there is a null", { top_k: null, metadata: null }, []],
    ["nothing where a model that can't think must not", { thinking: { type: "disabled" } }, []],
    ["a name that fits no header", { "of\r\ntomorrow": 1 }, []],
  ])("leaves out %s, and names it", (_what, more, names) => {
    const { request, dropped } = toChat(more);
    expect(dropped).toEqual(names);
    for (const name of names) expect(request).not.toHaveProperty(name);
  });

  test("names no more than fit into a header", () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`f${index}`, 1]));
    expect(toChat(many).dropped).toHaveLength(32);
  });

  test.each<[string, object]>([
    ["tools[1]", { tools: [{ name: "a", input_schema: {} }, { type: "web_search_20250305" }] }],
    ["mcp_servers", { mcp_servers: [{ url: "https://mcp.test" }] }],
    [
      "messages[0].content[1].source",
      user(text, { type: "document", source: { type: "base64", data: "JVBERi0=" } }),
    ],
    [
      "messages[0].content[0].content[0].source",
      user({
        type: "tool_result",
        tool_use_id: "t",
        content: [{ type: "document", source: { type: "url", url: "https://a.test/b.pdf" } }],
      }),
    ],
    [
      "messages[0].content[0].source",
      user({ type: "image", source: { type: "file", file_id: "f" } }),
    ],
    ["messages[0].content[0]", user({ type: "server_tool_use", id: "s", name: "web_search" })],
    ["messages[0].role", { messages: [{ role: "robot", content: "hi" }] }],
  ])("is refused for %s", (field, more) => {
    expect(() => toChat(more)).toThrow(
      expect.objectContaining({ code: "field_unsupported", details: { field } }) as ProxyError,
    );
  });

  test("has documents of text, and results of searches, as text", () => {
    const source = { type: "text", media_type: "text/plain", data: "Two pages." };
    const result = { type: "search_result", title: "T", source: "https://s.test", content: [text] };
    const { request } = toChat(
      user({ type: "document", title: "Report", context: "Draft", source }, result),
    );
    expect(request.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "Report\n\nDraft\n\nTwo pages." },
          { type: "text", text: "T\n\nhttps://s.test\n\nhi" },
        ],
      },
    ]);
  });

  test("has a system message in its place", () => {
    const messages = [question, { role: "system", content: [text, text] }, question];
    expect(toChat({ system: [text], messages }).request.messages).toEqual([
      { role: "system", content: "hi" },
      question,
      { role: "system", content: "hi\n\nhi" },
      question,
    ]);
  });

  test("has pictures of a tool's result beside it, as messages of tools hold none", () => {
    const image = {
      type: "image",
      source: { type: "base64", media_type: "image/png", data: "AA==" },
    };
    const result = { type: "tool_result", tool_use_id: "t", content: [text, image] };
    expect(toChat(user(result, text)).request.messages).toEqual([
      { role: "tool", tool_call_id: "t", content: "hi" },
      {
        role: "user",
        content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }, text],
      },
    ]);
  });

  test("has an assistant's thoughts no more", () => {
    const thinking = { type: "thinking", thinking: "hm", signature: "s" };
    const messages = [question, { role: "assistant", content: [thinking, text] }];
    const { request, dropped } = toChat({ messages });
    expect(request.messages).toEqual([question, { role: "assistant", content: "hi" }]);
    expect(dropped).toEqual(["thinking"]);
  });

  test.each<[object, string | undefined]>([
    [{ thinking: { type: "enabled", budget_tokens: 1_024 } }, "low"],
    [{ thinking: { type: "enabled", budget_tokens: 10_000 } }, "medium"],
    [{ thinking: { type: "enabled", budget_tokens: 32_000 } }, "high"],
    [{ output_config: { effort: "max" } }, "high"],
    [{}, undefined],
  ])("asks a model that reasons for %j as %s effort, by the newer bound", (more, effort) => {
    const { request, dropped } = toChat(more, "gpt-5-mini");
    expect(request.reasoning_effort).toBe(effort);
    expect(request).toMatchObject({ max_completion_tokens: 9 });
    expect(dropped).toEqual([]);
  });

  test("asks for the schema of an answer", () => {
    const schema = { type: "object" };
    const { request, dropped } = toChat({
      output_config: { format: { type: "json_schema", schema } },
    });
    expect(request.response_format).toMatchObject({ type: "json_schema", json_schema: { schema } });
    expect(dropped).toEqual([]);
  });
});

describe("OpenAI's request as Anthropic's", () => {
  test("leaves out what Anthropic has nothing like, and names it", () => {
    const { request, dropped } = toMessages({
      logprobs: true,
      top_logprobs: 2,
      seed: 1,
      frequency_penalty: 0.1,
      presence_penalty: 0.1,
      logit_bias: {},
      user: "u",
      response_format: { type: "json_object" },
      temperature: 1.5,
      n: 1,
      stop: null,
    });
    expect(request).toEqual({ ...chat, max_tokens: 3_500, temperature: 1 });
    expect([...dropped].sort()).toEqual(
      "frequency_penalty logit_bias logprobs presence_penalty response_format seed temperature top_logprobs user".split(
        " ",
      ),
    );
  });

  test.each<[string, object]>([
    ["n", { n: 2 }],
    ["functions", { functions: [] }],
    ["tools[0]", { tools: [{ type: "custom", custom: { name: "c" } }] }],
    ["tool_choice", { tool_choice: { type: "allowed_tools" } }],
    ["messages[0].content[0]", user({ type: "input_audio", input_audio: {} })],
    ["messages[0].content[0].file", user({ type: "file", file: { file_id: "f" } })],
    [
      "messages[0].content[0].image_url",
      user({ type: "image_url", image_url: { url: "ftp://a" } }),
    ],
    [
      "messages[0].tool_calls[0].function.arguments",
      {
        messages: [
          {
            role: "assistant",
            tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{" } }],
          },
        ],
      },
    ],
  ])("is refused for %s", (field, more) => {
    expect(() => toMessages(more)).toThrow(
      expect.objectContaining({ code: "field_unsupported", details: { field } }) as ProxyError,
    );
  });

  test("has all system messages in the one place for them, and no turn without words", () => {
    const messages = [
      { role: "system", content: "a" },
      question,
      { role: "developer", content: [{ type: "text", text: "b" }] },
      { role: "assistant", content: "" },
    ];
    expect(toMessages({ messages }).request).toMatchObject({
      system: [
        { type: "text", text: "a" },
        { type: "text", text: "b" },
      ],
      messages: [question],
    });
  });

  test("has a PDF as a document", () => {
    const file = { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" };
    const source = { type: "base64", media_type: "application/pdf", data: "JVBERi0=" };
    expect(toMessages(user({ type: "file", file })).request.messages).toEqual(
      user({ type: "document", source, title: "a.pdf" }).messages,
    );
  });

  test.each<[string, object, object, string[]]>([
    ["claude-sonnet-5", {}, { output_config: { effort: "high" } }, []],
    ["claude-sonnet-4-5", {}, { thinking: { type: "enabled", budget_tokens: 16_384 } }, []],
    ["claude-opus-4-20250514", { max_tokens: 4_000 }, { thinking: { budget_tokens: 3_999 } }, []],
    ["claude-sonnet-4-5", { max_tokens: 1_024 }, {}, ["reasoning_effort"]],
    ["claude-sonnet-4-5", { tool_choice: "required" }, {}, ["reasoning_effort"]],
    ["claude-3-5-haiku-latest", {}, {}, ["reasoning_effort"]],
  ])("asks %s (%j) for high effort as %j", (model, more, expected, names) => {
    const asks = { model, max_tokens: 20_000, reasoning_effort: "high", ...more };
    const { request, dropped } = toMessages(asks);
    expect(request).toMatchObject(expected);
    expect(dropped).toEqual(names);
    if (names.length > 0) expect(request).not.toHaveProperty("thinking");
  });
});

test("numbers too large for JavaScript stay as they were written", () => {
  const big = "12345678901234567890";
  const called = (exactlyIn(
    `{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"a":${big}}}]}`,
  ) ?? {}) as object;
  const there = toChat({ messages: [question, called] }).request;
  expect(JSON.stringify(there)).toContain(`{\\"a\\":${big}}`);
  const back = toMessagesRequest({ ...there }, 9, new Dropped());
  expect(JSON.stringify(back)).toContain(`"input":{"a":${big}}`);
});
