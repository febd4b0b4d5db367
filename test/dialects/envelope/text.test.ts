/** The text of an answer, in whatever parts it comes. */
import { describe, expect, test } from "vitest";
import { ask, askStream } from "../../support/envelope.ts";
import { startScene } from "../../support/scene.ts";
import type { Behaviour } from "../../support/upstream.ts";
import { complete, completeStream, OWN } from "../completion/support.ts";
import { sendPieces, tell } from "../openai/support.ts";

const scene = await startScene();
const completion = `${scene.parley.origin}/chat_complete`;
const options = { headers: OWN };
const question = { user_content: "hi" };
const prompt: object = { prompt: "hi" };
const chunk = (delta: object, finish_reason: string | null = null) => ({
  id: "c",
  object: "chat.completion.chunk",
  created: 1,
  model: "m",
  system_fingerprint: "f",
  choices: [{ index: 0, delta, finish_reason }],
});
const stream = (...deltas: object[]): Behaviour => {
  const chunks = [...deltas.map((delta) => chunk(delta)), chunk({}, "stop")];
  return sendPieces([
    ...chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`),
    "data: [DONE]\n\n",
  ]);
};
const whole = (message: object) =>
  tell({
    ...chunk({}),
    object: "chat.completion",
    choices: [{ index: 0, message, finish_reason: "stop" }],
    usage: { total_tokens: 2 },
  });

describe("content in parts is joined", () => {
  const thought = { type: "thinking", thinking: [{ type: "text", text: "hmm" }] };
  test.each<[string, object, string]>([
    ["a text", { content: "Paris." }, "Paris."],
    ["a thought and a text", { content: [thought, { type: "text", text: "Paris." }] }, "Paris."],
    [
      "several texts",
      {
        content: [
          { type: "text", text: "Par" },
          { type: "output_text", text: "is." },
        ],
      },
      "Paris.",
    ],
    ["texts without a type", { content: ["Par", { text: "is." }] }, "Paris."],
    ["a refusal", { content: [{ type: "refusal", refusal: "No." }] }, "No."],
    ["a refusal beside", { content: null, refusal: "No." }, "No."],
    ["a thought alone", { content: [{ type: "reasoning", text: "hmm" }] }, ""],
    [
      "a thought of Gemini's",
      { content: [{ text: "hmm", thought: true }, { text: "Paris." }] },
      "Paris.",
    ],
    [
      "a summary of thoughts",
      {
        content: [
          { type: "summary_text", text: "hmm" },
          { type: "text", text: "Paris." },
        ],
      },
      "Paris.",
    ],
    [
      "a value",
      { content: [{ type: "text", text: { value: "Paris.", annotations: [] } }] },
      "Paris.",
    ],
    ["parts of an object", { content: { parts: [{ text: "Par" }, { text: "is." }] } }, "Paris."],
    ["parts of parts", { content: [[{ type: "text", content: "Paris." }]] }, "Paris."],
    ["a picture", { content: [{ type: "image_url", image_url: { url: "u" } }, 5, null] }, ""],
  ])("%s", async (_, message, text) => {
    scene.upstream.behave(whole({ role: "assistant", ...message }));
    expect((await ask(scene.url, question)).data.response).toBe(text);
    const completed = await complete(completion, prompt, options);
    expect(completed).toMatchObject({ text });
    scene.upstream.behave(stream(message));
    const { deltas, last } = await askStream(scene.url, question);
    expect([deltas.join(""), last?.data.response]).toEqual([text, text]);
    expect((await completeStream(completion, prompt, options)).text).toBe(text);
  });
});

describe("a character that comes in two pieces stays whole", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ["cut in two", ["smile \ud83d", "\ude00 end "], ["smile ", "😀 end "]],
    ["alone in its pieces", ["\ud83d", "\ude00"], ["😀"]],
    ["with nothing between", ["a\ud83d", "", "\ude00"], ["a", "😀"]],
    ["without its second half", ["lone \ud83d"], ["lone ", "\ufffd"]],
    ["without its second half, and more", ["lone \ud83d", " x"], ["lone ", "\ufffd x"]],
    ["without its first half", ["\ude00 x"], ["\ufffd x"]],
  ])("%s", async (_, pieces, shown) => {
    scene.upstream.behave(stream(...pieces.map((content) => ({ content }))));
    const { deltas, last } = await askStream(scene.url, question);
    expect(deltas).toEqual(shown);
    expect(last?.data.response).toBe(shown.join(""));
    const { text, chunks } = await completeStream(completion, prompt, options);
    expect(text).toBe(shown.join(""));
    expect(JSON.stringify(chunks)).not.toMatch(/\\ud/);
  });
});

test("an error after the first event has its own code", async () => {
  const role = { choices: [{ index: 0, delta: { role: "assistant" } }] };
  const limited = { error: { code: 429, message: "Rate limit exceeded" } };
  const events = [role, limited].map((event) => `data: ${JSON.stringify(event)}\n\n`);
  scene.upstream.behave(sendPieces(events));
  const { failure } = await askStream(scene.url, question);
  expect(failure?.data.error).toBe("upstream_rate_limited");
});

test("an event above MAX_EVENT_BYTES is read where answers may be as large", async () => {
  const called = { tool_calls: [{ index: 0, function: { arguments: "x".repeat(1_500_000) } }] };
  scene.upstream.behave(stream({ content: "Hi" }, called));
  expect((await askStream(scene.url, question)).last?.data.response).toBe("Hi");
  const { done, text } = await completeStream(completion, prompt, options);
  expect([done, text]).toEqual([true, "Hi"]);
});
