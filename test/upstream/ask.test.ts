import { describe, expect, test } from "vitest";
import type { ChatMessage, ChatRequest } from "../../src/core/call/messages.ts";
import { isCompletionOnly, prepareRequest, usualTokenField } from "../../src/upstream/ask.ts";

const ask = (content: string): ChatMessage => ({ role: "user", content });

function prepare(request: Partial<ChatRequest>, stream = false) {
  const model = request.model ?? "gpt-4o-mini";
  const whole = { messages: [ask("hello")], ...request, model };
  const { path, body } = prepareRequest(whole, stream, {
    tokenField: usualTokenField(model),
    asksForUsage: true,
  });
  return { path, json: JSON.parse(String(body)) as unknown };
}

describe("the field that bounds the answer", () => {
  test.each([
    "gpt-4o-mini",
    "gpt-4o",
    "gpt-4-turbo",
    "gpt-4.1",
    "gpt-3.5-turbo",
    "chatgpt-4o-latest",
    "o",
    "o10x",
    "gpt-50",
    "openai/gpt-5",
    "llama3",
    "",
  ])("%s is asked with max_tokens", (model) => {
    expect(prepare({ model, maxTokens: 7 }).json).toEqual({
      model,
      messages: [ask("hello")],
      max_tokens: 7,
    });
  });

  test.each([
    "o1",
    "o1-mini",
    "o3",
    "o3-mini-2025-01-31",
    "o4-mini",
    "gpt-5",
    "gpt-5-mini",
    "gpt-5.1",
  ])("%s is asked with max_completion_tokens", (model) => {
    expect(prepare({ model, maxTokens: 7 }).json).toEqual({
      model,
      messages: [ask("hello")],
      max_completion_tokens: 7,
    });
  });

  test("stays away when nothing bounds the answer", () => {
    expect(prepare({}).json).toEqual({ model: "gpt-4o-mini", messages: [ask("hello")] });
  });
});

describe("where a question goes", () => {
  test.each([
    "gpt-3.5-turbo-instruct",
    "gpt-3.5-turbo-instruct-0914",
    "davinci-002",
    "babbage-002",
    "text-davinci-003",
  ])("%s only continues text", (model) => {
    expect(isCompletionOnly(model)).toBe(true);
    expect(prepare({ model, maxTokens: 7 })).toEqual({
      path: "/completions",
      json: { model, prompt: "hello", max_tokens: 7 },
    });
  });

  test.each(["gpt-4o", "mistralai/mistral-7b-instruct", "instruct", "gpt-4-instructor", "davinci"])(
    "%s chats",
    (model) => {
      expect(isCompletionOnly(model)).toBe(false);
      expect(prepare({ model }).path).toBe("/chat/completions");
    },
  );

  test.each(["gpt-4o", "davinci-002"])("a stream of %s is asked for with its usage", (model) => {
    expect(prepare({ model }, true).json).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(prepare({ model }).json).not.toHaveProperty("stream");
    expect(prepare({ model }).json).not.toHaveProperty("stream_options");
  });
});

describe("parameters we do not know", () => {
  const parameters = {
    temperature: 0,
    tools: [{ type: "function" }],
    model: "other",
    messages: [],
    prompt: "other",
    max_tokens: 1,
    max_completion_tokens: 2,
    stream: true,
    stream_options: { include_usage: false },
  };
  const passed = { temperature: 0, tools: [{ type: "function" }] };

  test("are sent as they are, and replace no field of ours", () => {
    expect(prepare({ maxTokens: 7, parameters }).json).toEqual({
      ...passed,
      model: "gpt-4o-mini",
      messages: [ask("hello")],
      max_tokens: 7,
    });
  });

  test("bring no bound and no stream that we did not ask for", () => {
    const chat = { ...passed, model: "gpt-5", messages: [ask("hello")] };
    expect(prepare({ model: "gpt-5", parameters }).json).toEqual(chat);
    expect(prepare({ model: "gpt-5", parameters }, true).json).toEqual({
      ...chat,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test("go with a prompt, too", () => {
    const model = "davinci-002";
    expect(prepare({ model, maxTokens: 7, parameters }).json).toEqual({
      ...passed,
      model,
      prompt: "hello",
      max_tokens: 7,
    });
  });
});

describe("a conversation for a model that continues text", () => {
  const promptOf = (...messages: readonly ChatMessage[]) =>
    (prepare({ model: "davinci-002", messages }).json as { prompt: string }).prompt;

  test("one message is the prompt itself, whoever says it", () => {
    expect(promptOf(ask("Once upon a time"))).toBe("Once upon a time");
    expect(promptOf({ role: "system", content: "Be brief." })).toBe("Be brief.");
  });

  test("several are told with who said what, and the assistant is next", () => {
    expect(
      promptOf(
        { role: "system", content: "Be brief." },
        ask("2+2?"),
        { role: "assistant", content: "4" },
        ask("+1?"),
      ),
    ).toBe("Be brief.\n\nUser: 2+2?\n\nAssistant: 4\n\nUser: +1?\n\nAssistant:");
  });

  test("a role nobody knows has no name, not one from an object's insides", () => {
    expect(promptOf(ask("a"), { role: "tool", content: "b" })).toBe("User: a\n\nb\n\nAssistant:");
    expect(promptOf(ask("a"), { role: "toString", content: "b" })).toBe(
      "User: a\n\nb\n\nAssistant:",
    );
  });
});
