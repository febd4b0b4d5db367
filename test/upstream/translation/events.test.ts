import { describe, expect, test } from "vitest";
import { ProxyError } from "../../../src/core/errors.ts";
import { EventsToChat } from "../../../src/upstream/translation/events-to-chat.ts";
import { EventsToMessages } from "../../../src/upstream/translation/events-to-messages.ts";
import { eventsIn, gathered } from "./gathered.ts";

const head = { id: "chatcmpl-1", object: "chat.completion.chunk", model: "gpt-4o" };
const chunk = (delta: object, finish: string | null = null) =>
  JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason: finish }] });
const call = (index: number, fields: object, id?: string) => ({
  tool_calls: [{ index, ...(id !== undefined && { id }), type: "function", function: fields }],
});

function toMessages(...data: string[]): string {
  const events = new EventsToMessages();
  return data.map((one) => events.next(one)).join("") + events.end();
}

describe("OpenAI's chunks as Anthropic's events", () => {
  test("are blocks one after the other, and end with reason and usage", () => {
    const usage = {
      prompt_tokens: 20,
      completion_tokens: 7,
      total_tokens: 27,
      prompt_tokens_details: { cached_tokens: 15 },
      completion_tokens_details: { reasoning_tokens: 3 },
    };
    const text = toMessages(
      chunk({ role: "assistant", content: "" }),
      chunk({ reasoning_content: "hm" }),
      chunk({ content: "Look" }),
      chunk({ content: "ing" }),
      chunk(call(0, { name: "find", arguments: "" }, "call_a")),
      chunk(call(0, { arguments: '{"a":' })),
      chunk(call(0, { arguments: "1}" })),
      chunk(call(1, { name: "stop", arguments: "" }, "call_b")),
      chunk({}, "tool_calls"),
      JSON.stringify({ ...head, choices: [], usage }),
      "[DONE]",
    );
    expect(gathered(text)).toEqual({
      id: "chatcmpl-1",
      type: "message",
      role: "assistant",
      model: "gpt-4o",
      content: [
        { type: "text", text: "Looking" },
        { type: "tool_use", id: "call_a", name: "find", input: { a: 1 } },
        { type: "tool_use", id: "call_b", name: "stop", input: {} },
      ],
      stop_reason: "tool_use",
      stop_sequence: null,
      usage: {
        input_tokens: 5,
        cache_read_input_tokens: 15,
        cache_creation_input_tokens: 0,
        output_tokens: 7,
        output_tokens_details: { thinking_tokens: 3 },
      },
    });
  });

  test("end where the reason has come and the stream ends, and nowhere else", () => {
    expect(gathered(toMessages(chunk({ content: "a" }), chunk({}, "length"))).stop_reason).toBe(
      "max_tokens",
    );
    const types = eventsIn(toMessages(chunk({ content: "a" }))).map(({ type }) => type);
    expect(types).toEqual(["message_start", "content_block_start", "content_block_delta"]);
    expect(() => toMessages("[DONE]")).toThrow(new ProxyError("upstream_failed"));
  });

  test("give a call an id where the service gives none", () => {
    const text = toMessages(
      chunk(call(0, { name: "a", arguments: "{}" })),
      chunk(call(1, { name: "b", arguments: "{}" })),
      chunk({}, "tool_calls"),
    );
    expect(gathered(text).content).toMatchObject([
      { id: "chatcmpl-1_0", name: "a" },
      { id: "chatcmpl-1_1", name: "b" },
    ]);
  });

  test("break where a call goes on that another one has followed", () => {
    const events = new EventsToMessages();
    events.next(chunk(call(0, { name: "a", arguments: "" }, "x")));
    events.next(chunk(call(1, { name: "b", arguments: "" }, "y")));
    expect(() => events.next(chunk(call(0, { arguments: "{}" })))).toThrow(
      new ProxyError("upstream_bad_answer"),
    );
  });

  test("tell a refusal as one", () => {
    const message = gathered(toMessages(chunk({ refusal: "No." }), chunk({}, "stop")));
    expect(message).toMatchObject({ stop_reason: "refusal", content: [{ text: "No." }] });
  });

  test("pass an error on as it came", () => {
    const error = JSON.stringify({ error: { message: "Overloaded", type: "server_error" } });
    expect(toMessages(chunk({ content: "a" }), error)).toContain(
      `event: error\ndata: ${error}\n\n`,
    );
  });

  test("keep a silent connection open, by a comment before the first event", () => {
    const events = new EventsToMessages();
    expect(events.ping).toBe(": ping\n\n");
    events.next(chunk({ content: "a" }));
    expect(events.ping).toBe('event: ping\ndata: {"type": "ping"}\n\n');
  });
});

describe("Anthropic's events as OpenAI's chunks", () => {
  const start = {
    type: "message_start",
    message: {
      id: "msg_1",
      model: "claude-sonnet-5",
      usage: { input_tokens: 3, output_tokens: 1 },
    },
  };
  const toChat = (events: object[], withUsage = true) => {
    const chat = new EventsToChat(1_700_000_000, withUsage);
    const text = events.map((event) => chat.next(JSON.stringify(event))).join("");
    return text.split("\n\n").flatMap((one) => {
      const data = /^data: (.*)$/m.exec(one)?.[1] ?? "[DONE]";
      return data === "[DONE]" ? [] : [JSON.parse(data)];
    });
  };

  test("have thoughts beside the text, and no calls of the service's own tools", () => {
    const deltas = toChat([
      start,
      { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "hm" } },
      { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "s" } },
      {
        type: "content_block_start",
        index: 1,
        content_block: { type: "server_tool_use", id: "s" },
      },
      {
        type: "content_block_delta",
        index: 1,
        delta: { type: "input_json_delta", partial_json: "{}" },
      },
      { type: "content_block_start", index: 2, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 2, delta: { type: "text_delta", text: "Yes" } },
    ]).map(({ choices }) => choices[0].delta);
    expect(deltas).toEqual([
      { role: "assistant", content: "", refusal: null },
      { reasoning_content: "hm" },
      { content: "Yes" },
    ]);
  });

  test("have the usage of both events where it is asked for", () => {
    const message = {
      ...start.message,
      usage: {
        input_tokens: 3,
        cache_read_input_tokens: 5,
        cache_creation_input_tokens: 4,
        cache_creation: { ephemeral_5m_input_tokens: 1, ephemeral_1h_input_tokens: 3 },
        output_tokens: 1,
      },
    };
    const used = { output_tokens: 9, output_tokens_details: { thinking_tokens: 2 } };
    const events = [
      { type: "message_start", message },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: used },
      { type: "message_stop" },
    ];
    expect(toChat(events).at(-1)).toMatchObject({
      choices: [],
      usage: {
        prompt_tokens: 12,
        completion_tokens: 9,
        total_tokens: 21,
        prompt_tokens_details: { cached_tokens: 5, cache_write_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 2 },
        cache_creation: { ephemeral_1h_input_tokens: 3 },
      },
    });
    expect(toChat(events, false).at(-1).choices[0].finish_reason).toBe("stop");
  });

  test("pass an error on as it came", () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    const text = new EventsToChat(0, true).next(JSON.stringify(error));
    expect(text).toBe(`event: error\ndata: ${JSON.stringify(error)}\n\n`);
  });
});

describe("what services do in ways of their own", () => {
  test("an event about filters comes first, without id and model", () => {
    const filters = JSON.stringify({ id: "", model: "", choices: [], prompt_filter_results: [] });
    const text = toMessages(filters, chunk({ content: "a" }), chunk({}, "stop"), "[DONE]");
    expect(gathered(text)).toMatchObject({ id: "chatcmpl-1", model: "gpt-4o" });
  });

  test("a text comes in parts, thoughts among them", () => {
    const content = [
      { type: "thinking", thinking: [{ type: "text", text: "hm" }] },
      { type: "text", text: "Yes" },
    ];
    const text = toMessages(chunk({ content }), chunk({}, "stop"));
    expect(gathered(text).content).toEqual([{ type: "text", text: "Yes" }]);
  });

  test("a tool is called with an object, and the reason tells nothing of it", () => {
    const text = toMessages(
      chunk(call(0, { name: "find", arguments: { a: 1 } }, "x")),
      chunk({}, "stop"),
    );
    expect(gathered(text)).toMatchObject({
      content: [{ type: "tool_use", id: "x", name: "find", input: { a: 1 } }],
      stop_reason: "tool_use",
    });
  });
});
