import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProxyError } from "../../src/core/errors.ts";
import * as answers from "../../src/upstream/answers.ts";
import { toUsage } from "../../src/upstream/reading/usage.ts";

const json = JSON.stringify;
const fail = () => new ProxyError("upstream_failed");
const readCompletion = (text: string) => answers.readCompletion(text, fail);
const readDelta = (data: string) => answers.readDelta(data, fail);
const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 };
const whole = {
  id: "chatcmpl-1",
  model: "gpt-4o-mini-2024-07-18",
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
  usage: { ...usage, prompt_tokens_details: { cached_tokens: 3 } },
};

describe("a whole answer", () => {
  test("is read with all it says", () => {
    expect(readCompletion(json(whole))).toEqual({
      text: "Hi",
      model: "gpt-4o-mini-2024-07-18",
      finishReason: "stop",
      usage: { promptTokens: 9, completionTokens: 4, totalTokens: 13, cachedTokens: 3 },
      upstreamId: "chatcmpl-1",
    });
  });

  test.each<[string, object, string]>([
    ["of a model that continues text", { text: "Hi" }, "Hi"],
    ["that is a refusal", { message: { content: null, refusal: "No." } }, "No."],
    ["that calls a tool", { message: { content: null, tool_calls: [{}] } }, ""],
    ["that is empty", { message: { content: "" } }, ""],
    ["without a message", {}, ""],
    ["whose message is null", { message: null, text: "Hi" }, "Hi"],
    ["whose content is a number", { message: { content: 5 } }, ""],
    ["told as a delta", { delta: { content: "Hi" } }, "Hi"],
  ])("%s is read", (_, choice, text) => {
    expect(readCompletion(json({ choices: [choice] }))).toEqual({
      text,
      model: "",
      finishReason: null,
      usage: null,
      upstreamId: null,
    });
  });

  test("fields of another kind are unknown, not wrong", () => {
    const odd = {
      id: 5,
      model: ["m"],
      choices: [{ text: "Hi", finish_reason: {} }],
      usage: "many",
    };
    expect(readCompletion(json(odd))).toEqual({
      text: "Hi",
      model: "",
      finishReason: null,
      usage: null,
      upstreamId: null,
    });
  });

  test("an error that is null is none", () => {
    expect(readCompletion(json({ ...whole, error: null })).text).toBe("Hi");
  });

  test.each([
    ["nothing", ""],
    ["white space", " \n"],
    ["HTML", "<html><body>canary</body></html>"],
    ["half of it", json(whole).slice(0, 60)],
    ["two of them", `${json(whole)}\n${json(whole)}`],
    ["events", `data: ${json(whole)}\n\ndata: [DONE]\n\n`],
    ["null", "null"],
    ["a text", '"canary"'],
    ["a number", "7"],
    ["a list", "[]"],
    ["an empty object", "{}"],
    ["no choices", json({ ...whole, choices: [] })],
    ["choices that are null", json({ ...whole, choices: null })],
    ["choices that are an object", json({ ...whole, choices: { 0: {} } })],
    ["a choice that is null", json({ ...whole, choices: [null] })],
    ["a choice that is a text", json({ ...whole, choices: ["canary"] })],
  ])("%s is a bad answer", (_, text) => {
    expect(thrownBy(() => readCompletion(text))).toMatchObject({
      code: "upstream_bad_answer",
      params: {},
      details: {},
    });
  });

  test.each([
    ["an object", { message: "canary" }],
    ["a text", "canary"],
  ])("an error as 200, %s, is a failure without its text", (_, error) => {
    const failure = thrownBy(() => readCompletion(json({ error })));
    expect(failure).toMatchObject({ code: "upstream_failed", params: {}, details: {} });
    expect(json(failure)).not.toContain("canary");
  });
});

describe("an event of a stream", () => {
  const empty = {
    text: "",
    model: "",
    finishReason: null,
    usage: null,
    upstreamId: null,
  };

  test.each<[string, object, object]>([
    [
      "a piece",
      { id: "c", model: "m", choices: [{ delta: { content: "H" } }] },
      { text: "H", model: "m", upstreamId: "c" },
    ],
    ["a role only", { choices: [{ delta: { role: "assistant" } }] }, {}],
    ["a refusal", { choices: [{ delta: { refusal: "No" } }] }, { text: "No" }],
    ["a piece of a text", { choices: [{ text: "H" }] }, { text: "H" }],
    ["an end", { choices: [{ delta: {}, finish_reason: "length" }] }, { finishReason: "length" }],
    ["an end without a delta", { choices: [{ finish_reason: "stop" }] }, { finishReason: "stop" }],
    [
      "usage",
      { choices: [], usage },
      { usage: { promptTokens: 9, completionTokens: 4, totalTokens: 13, cachedTokens: null } },
    ],
    ["usage that is null", { choices: [], usage: null }, {}],
    ["no choices", {}, {}],
    ["a choice that is null", { choices: [null] }, {}],
    ["a delta that is null", { choices: [{ delta: null }] }, {}],
    ["an error that is null", { error: null, choices: [] }, {}],
  ])("%s is read", (_, chunk, expected) => {
    expect(readDelta(json(chunk))).toEqual({ ...empty, ...expected });
  });

  test.each(["", "{", "[DONE", "null", "1", "<html>"])("%j is a bad answer", (data) => {
    expect(thrownBy(() => readDelta(data))).toMatchObject({ code: "upstream_bad_answer" });
  });

  test("an error is a failure", () => {
    expect(thrownBy(() => readDelta(json({ error: { message: "canary" } })))).toMatchObject({
      code: "upstream_failed",
      params: {},
    });
  });
});

describe("usage", () => {
  test.each<[string, unknown]>([
    ["missing", undefined],
    ["null", null],
    ["a text", "13"],
    ["empty", {}],
    ["without the prompt", { completion_tokens: 4 }],
    ["negative", { prompt_tokens: -9, completion_tokens: 4 }],
    ["negative in the answer", { prompt_tokens: 9, completion_tokens: -4 }],
    ["huge", { prompt_tokens: 1e20, completion_tokens: 4 }],
    ["more than any answer has", { prompt_tokens: 100_000_001, completion_tokens: 4 }],
    ["broken numbers", { prompt_tokens: 9.5, completion_tokens: 4 }],
    ["texts", { prompt_tokens: "9", completion_tokens: "4" }],
  ])("that is %s is unknown", (_, value) => {
    expect(toUsage(value)).toBeNull();
  });

  test.each<[string, object, object]>([
    [
      "all there is",
      { ...usage, prompt_tokens_details: { cached_tokens: 3 } },
      { cachedTokens: 3 },
    ],
    [
      "no answer, as for embeddings",
      { prompt_tokens: 9, total_tokens: 9 },
      { completionTokens: 0, totalTokens: 9 },
    ],
    [
      "nothing, said explicitly",
      { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
      { promptTokens: 0, completionTokens: 0, totalTokens: 0 },
    ],
    ["no total", { prompt_tokens: 9, completion_tokens: 4 }, {}],
    ["a total that can't be", { ...usage, total_tokens: -1 }, {}],
    [
      "cached tokens that can't be",
      { ...usage, prompt_tokens_details: { cached_tokens: 1e20 } },
      {},
    ],
    ["details that are null", { ...usage, prompt_tokens_details: null }, {}],
    [
      "the most there can be",
      { prompt_tokens: 100_000_000, completion_tokens: 0 },
      { promptTokens: 100_000_000, completionTokens: 0, totalTokens: 100_000_000 },
    ],
  ])("with %s is read", (_, value, expected) => {
    const plain = { promptTokens: 9, completionTokens: 4, totalTokens: 13, cachedTokens: null };
    expect(toUsage(value)).toEqual({ ...plain, ...expected });
  });
});

test("whatever JSON comes is read or refused with a code of ours", () => {
  const field = fc.constantFrom(
    "choices",
    "usage",
    "error",
    "message",
    "delta",
    "content",
    "model",
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.jsonValue({ maxDepth: 1 }),
      tie("list"),
      tie("object"),
    ),
    list: fc.array(tie("value"), { maxLength: 3 }),
    object: fc.dictionary(field, tie("value"), { maxKeys: 4 }),
  }));
  fc.assert(
    fc.property(value, (anything) => {
      for (const parse of [readCompletion, readDelta]) {
        try {
          const { text, model } = parse(json(anything));
          expect([typeof text, typeof model]).toEqual(["string", "string"]);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ProxyError);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

function thrownBy(parse: () => unknown): unknown {
  try {
    parse();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ProxyError);
    return thrown;
  }
  throw new Error("it was taken");
}
