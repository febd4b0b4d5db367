import { describe, expect, test } from "vitest";
import { ProxyError } from "../../../src/core/errors.ts";
import { toCompletion } from "../../../src/upstream/translation/answer-to-chat.ts";
import { toMessage } from "../../../src/upstream/translation/answer-to-messages.ts";

const answer = (message: object, finish_reason = "stop") => ({
  id: "chatcmpl-1",
  model: "gpt-4o",
  choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason }],
});
const calls = (given: unknown) => ({
  content: null,
  tool_calls: [{ id: "x", type: "function", function: { name: "find", arguments: given } }],
});
const message = (content: readonly object[], stop_reason = "end_turn") => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-5",
  content,
  stop_reason,
});

describe("OpenAI's answer as Anthropic's", () => {
  test.each<[unknown, object]>([
    ['{"a":1}', { a: 1 }],
    [{ a: 1 }, { a: 1 }],
    ["", {}],
  ])("calls a tool with %j, whatever the reason says", (given, input) => {
    expect(toMessage(answer(calls(given)))).toMatchObject({
      content: [{ type: "tool_use", id: "x", name: "find", input }],
      stop_reason: "tool_use",
    });
  });

  test("is bad where a tool is called with what is no object, unless the bound has cut it", () => {
    expect(() => toMessage(answer(calls('{"a":'), "tool_calls"))).toThrow(
      new ProxyError("upstream_bad_answer"),
    );
    expect(toMessage(answer(calls('{"a":'), "length"))).toMatchObject({
      content: [{ input: {} }],
      stop_reason: "max_tokens",
    });
  });

  test("tells a refusal as one, and no thoughts", () => {
    const said = { content: null, refusal: "No.", reasoning_content: "hm" };
    expect(toMessage(answer(said))).toMatchObject({
      content: [{ type: "text", text: "No." }],
      stop_reason: "refusal",
    });
  });

  test("is none without a choice", () => {
    expect(toMessage({ object: "list", data: [] })).toBeNull();
  });
});

describe("Anthropic's answer as OpenAI's", () => {
  test.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["pause_turn", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["tool_use", "tool_calls"],
    ["refusal", "content_filter"],
    ["of_tomorrow", "stop"],
  ])("ends by %s as by %s", (reason, finish) => {
    expect(toCompletion(message([], reason), 0)).toMatchObject({
      choices: [{ finish_reason: finish }],
    });
  });

  test("has thoughts beside its text, and nothing of what the service did by itself", () => {
    const content = [
      { type: "thinking", thinking: "hm", signature: "s" },
      { type: "text", text: "Look" },
      { type: "server_tool_use", id: "s", name: "web_search", input: {} },
      { type: "text", text: "ed." },
    ];
    expect(toCompletion(message(content), 5)).toMatchObject({
      created: 5,
      choices: [
        {
          message: {
            role: "assistant",
            content: "Looked.",
            reasoning_content: "hm",
            refusal: null,
          },
        },
      ],
    });
  });
});
