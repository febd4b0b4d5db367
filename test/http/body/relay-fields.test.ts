import { expect, test } from "vitest";
import { parsed } from "../../../src/http/body/parsed.ts";
import {
  CHAT_BOUNDS,
  expectedOfRelay,
  relayFields,
  withoutLookalikes,
} from "../../../src/http/body/relay-fields.ts";

const expected = (body: object, names: Parameters<typeof expectedOfRelay>[2] = CHAT_BOUNDS) =>
  expectedOfRelay(parsed(relayFields, body), JSON.stringify(body).length, names);

const base64 = "A".repeat(600_000);
const png = `data:image/png;base64,${base64}`;
const user = (part: object) => ({ role: "user", content: [{ type: "text", text: "See?" }, part] });

test.each<[string, object, number]>([
  [
    "a picture in chat",
    { messages: [user({ type: "image_url", image_url: { url: png } })] },
    1_500,
  ],
  ["a picture in responses", { input: [user({ type: "input_image", image_url: png })] }, 1_500],
  [
    "a picture that is moderated",
    { input: [{ type: "image_url", image_url: { url: png } }] },
    1_500,
  ],
  [
    "a picture in Anthropic's form",
    { messages: [user({ type: "image", source: { type: "base64", data: base64 } })] },
    1_500,
  ],
  [
    "a picture that a tool returned, in Anthropic's form",
    {
      messages: [
        user({
          type: "tool_result",
          tool_use_id: "t",
          content: [{ type: "image", source: { type: "base64", data: base64 } }],
        }),
      ],
    },
    1_500,
  ],
  ["a picture to embed", { input: [{ type: "image", image: png }] }, 1_500],
  [
    "a screenshot",
    {
      input: [
        { type: "computer_call_output", output: { type: "computer_screenshot", image_url: png } },
      ],
    },
    1_500,
  ],
  [
    "a picture that a tool returned",
    {
      input: [{ type: "function_call_output", output: [{ type: "input_image", image_url: png }] }],
    },
    1_500,
  ],
  [
    "a picture that was made before",
    { input: [{ type: "image_generation_call", result: base64 }] },
    1_500,
  ],
  [
    "a picture for a stored prompt",
    { prompt: { id: "p", variables: { one: { type: "input_image", image_url: png } } } },
    1_500,
  ],
  ["audio by URL", { messages: [user({ type: "audio_url", audio_url: { url: base64 } })] }, 9_375],
  ["a video", { messages: [user({ type: "video_url", video_url: { url: base64 } })] }, 37_500],
  ["a file in chat", { messages: [user({ type: "file", file: { file_data: base64 } })] }, 37_500],
  ["a file in responses", { input: [user({ type: "input_file", file_data: base64 })] }, 37_500],
  [
    "audio",
    { messages: [user({ type: "input_audio", input_audio: { data: base64, format: "mp3" } })] },
    9_375,
  ],
])("the base64 of %s is not reserved as text, what is around it is", (_, body, tokens) => {
  const { question } = expected(body);
  expect(question).toBeGreaterThan(tokens);
  expect(question).toBeLessThan(tokens + 120);
});

test.each<[string, object]>([
  ["a message", { messages: [{ role: "user", content: png }] }],
  ["a part of text", { messages: [user({ type: "text", text: png })] }],
  ["another field", { user: png }],
  ["a tool", { tools: [{ type: "image_url", image_url: { url: png } }] }],
  ["a prompt", { prompt: png }],
])("base64 in %s is text", (_, body) => {
  expect(expected(body).question).toBeGreaterThan(300_000);
});

test("each picture counts, wherever it is fetched from", () => {
  const url = "https://pictures.example/1.png";
  const part = { type: "image_url", image_url: { url } };
  expect(expected({ messages: [user(part), user(part)] }).question).toBeGreaterThan(3_000);
});

test.each<
  [string, object, readonly ("max_tokens" | "max_output_tokens")[] | typeof CHAT_BOUNDS, number]
>([
  ["the field of the endpoint", { max_tokens: 7 }, CHAT_BOUNDS, 7],
  ["the larger of two", { max_tokens: 7, max_completion_tokens: 5 }, CHAT_BOUNDS, 7],
  ["no field of another endpoint", { max_output_tokens: 0 }, CHAT_BOUNDS, 4_096],
  ["no smaller field of another endpoint", { max_tokens: 1 }, ["max_output_tokens"], 4_096],
  ["its field beside another's", { max_tokens: 1, max_output_tokens: 9 }, ["max_output_tokens"], 9],
  ["no zero", { max_tokens: 0 }, CHAT_BOUNDS, 4_096],
  ["no minus one", { max_tokens: -1, max_completion_tokens: -1 }, CHAT_BOUNDS, 4_096],
  ["a bound beside minus one", { max_tokens: -1, max_completion_tokens: 5 }, CHAT_BOUNDS, 5],
  ["no null", { max_tokens: null }, CHAT_BOUNDS, 4_096],
])("an answer is bounded by %s", (_, body, names, answer) => {
  expect(expected(body, names).answer).toBe(answer);
});

test.each<[string, object, number]>([
  ["one", {}, 1],
  ["as many as n", { n: 3 }, 3],
  ["as many as best_of, if that is more", { n: 2, best_of: 5 }, 5],
  ["one for each prompt", { prompt: ["a", "b"] }, 2],
  ["one for a prompt of tokens", { prompt: [1, 2, 3] }, 1],
  ["n for each prompt", { prompt: [[1], [2]], n: 2 }, 4],
])("answers are %s", (_, body, answers) => {
  expect(expected(body).answers).toBe(answers);
});

test.each(["Model", "MODEL", "Stream", "\u017ftream", "MAX_TO\u212aENS", "N", "Best_Of"])(
  "servers that take %s for a field that was read don't get it",
  (name) => {
    const body = { model: "m", max_tokens: 1, n: 1, temperature: 1, Stop: "x", "X-Model": 1 };
    expect(withoutLookalikes(body)).toBe(body);
    expect(withoutLookalikes({ ...body, [name]: 9 })).toEqual(body);
  },
);

test("a number of answers in quotes counts", () => {
  const messages = [{ role: "user", content: "hi" }];
  expect(expected({ messages, n: "5" }).answers).toBe(5);
  expect(expected({ messages, n: "many" }).answers).toBe(1);
});
