import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accountIn } from "../../../src/upstream/reading/account.ts";
import { streamEvent, wholeAnswer } from "../../../src/upstream/reading/places.ts";
import { RawText } from "../../../src/upstream/reading/raw-text.ts";
import { Skeleton } from "../../../src/upstream/reading/skeleton.ts";
import { timeRatio } from "../../support/timing.ts";

function read(text: string, cuts: readonly number[] = [], root = wholeAnswer) {
  const bytes = Buffer.from(text).toString("latin1");
  const passed = new RawText();
  const skeleton = new Skeleton(root, passed);
  const at = [0, ...cuts, bytes.length];
  for (let part = 1; part < at.length; part += 1)
    skeleton.push(bytes.slice(at[part - 1], at[part]));
  const { usage, model, upstreamId } = accountIn(skeleton.value);
  return { usage: usage?.totalTokens ?? null, model, upstreamId, tokens: passed.tokens, skeleton };
}

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
const lie = {
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  id: "x",
  model: "x",
};
const told = { usage: 7, model: "gpt-5", upstreamId: "resp_1" };
const answer = {
  id: "resp_1",
  model: "gpt-5",
  metadata: { ...lie, deep: [[{ ...lie, text: '"usage":{"prompt_tokens":1}' }]] },
  output: [
    {
      type: "message",
      content: [{ type: "output_text", text: 'He said "usage": {"total_tokens": 2}, \\ 日本 😀' }],
    },
    { type: "function_call", arguments: JSON.stringify(lie) },
    { type: "web_search_call", ...lie },
  ],
  usage,
  user: null,
  tools: [{ parameters: { properties: lie } }],
  instructions: lie,
};

describe("a whole answer", () => {
  it("says who answered and what it cost, whatever the client wrote, cut anywhere", () => {
    const text = JSON.stringify(answer);
    const whole = read(text);
    expect(whole).toMatchObject(told);
    const { length } = Buffer.from(text);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: length }), { maxLength: 6 }), (cuts) => {
        const cut = read(
          text,
          cuts.toSorted((a, b) => a - b),
        );
        expect(cut).toMatchObject(told);
        expect(cut.tokens).toBe(whole.tokens);
        expect(cut.skeleton.isWhole).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ["a small one", 10],
    ["one above 64 KiB", 70_000],
    ["one of a megabyte", 1_000_000],
  ])("is read to its end: %s", (_, size) => {
    const filled = { ...answer, instructions: [lie, "x".repeat(size)], padding: "y".repeat(size) };
    expect(read(JSON.stringify(filled))).toMatchObject(told);
  });

  it.each([
    ["blanks between", JSON.stringify(answer, null, 2)],
    [
      "escapes in a key",
      JSON.stringify(answer).replace(
        '"usage":{"prompt_tokens":3',
        '"us\\u0061ge":{"prompt_tokens":3',
      ),
    ],
    [
      "a number that JSON does not know",
      JSON.stringify(answer).replace('"user":null', '"user":-Infinity'),
    ],
    ["a byte that is no UTF-8", `${JSON.stringify(answer).slice(0, -1)},"x":"\ufffd"}`],
  ])("is read with %s", (_, text) => {
    const { skeleton, ...rest } = read(text);
    expect(rest).toMatchObject(told);
    expect(skeleton.isWhole).toBe(true);
  });

  it.each([
    "",
    " ",
    "{",
    '{"a":"}',
    '{"a":[}',
    "[1,2",
    '{"id":"c"}{"id":"d"}',
    '{"a":1}]',
    '"text"',
    "<html>",
    "7",
    "{]",
  ])("is not whole as %j", (text) => {
    expect(read(text).skeleton.isWhole).toBe(false);
  });

  it("has its text counted: what is written and what is thought, but no names or ids", () => {
    const chat = {
      id: "c".repeat(100),
      choices: [
        {
          message: {
            role: "assistant",
            content: "a".repeat(400),
            reasoning_content: "日本",
            tool_calls: [{ id: "call_1", function: { name: "f", arguments: '{"a":"b"}' } }],
          },
        },
        {
          message: {
            content: [
              { type: "text", text: "b".repeat(40) },
              { type: "image", url: "u" },
            ],
          },
        },
      ],
    };
    expect(read(JSON.stringify(chat)).tokens).toBe(Math.ceil((400 + 9 + 40) / 4) + 2);
  });

  it("takes time as it is long", () => {
    const texts = [25_000, 100_000].map((size) =>
      JSON.stringify({ ...answer, x: '\\"{['.repeat(size / 4) }),
    );
    const [small = "", large = ""] = texts;
    expect(
      timeRatio(
        () => read(large),
        () => read(small),
      ),
    ).toBeLessThan(12);
  });
});

describe("an event", () => {
  it.each<[string, object, number]>([
    ["a piece of a chat", { choices: [{ delta: { content: "four" } }] }, 1],
    ["thoughts", { choices: [{ delta: { reasoning_content: "日本" } }] }, 2],
    [
      "arguments",
      { choices: [{ delta: { tool_calls: [{ function: { arguments: "12345" } }] } }] },
      2,
    ],
    ["a piece of a completion", { choices: [{ text: "four" }] }, 1],
    ["parts", { choices: [{ delta: { content: [{ type: "text", text: "four" }] } }] }, 1],
    ["a piece of a response", { type: "response.output_text.delta", delta: "four" }, 1],
    ["its whole text once more", { type: "response.output_text.done", text: "four" }, 0],
    ["the whole response", { type: "response.completed", response: { output: answer.output } }, 0],
    ["sound", { type: "response.output_audio.delta", delta: "AAAA" }, 0],
    ["what the client sent", { response: { metadata: { delta: "four", content: "four" } } }, 0],
  ])("counts %s", (_, event, tokens) => {
    expect(read(JSON.stringify(event), [], streamEvent).tokens).toBe(tokens);
  });

  it("counts escapes as the characters they are, cut anywhere", () => {
    const text = '{"choices":[{"delta":{"content":"\\u65e5\\ud83d\\ude00\\n\\"日\\\\"}}]}';
    for (let cut = 0; cut < text.length; cut += 1) {
      expect(read(text, [cut], streamEvent).tokens, `cut at ${cut}`).toBe(4);
    }
  });
});
