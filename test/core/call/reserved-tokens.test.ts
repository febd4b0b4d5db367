import { expect, test } from "vitest";
import type { Content } from "../../../src/core/call/messages.ts";
import { expectedOfChat, reservedTokens } from "../../../src/core/call/reserved-tokens.ts";

const most = (...contents: Content[]) =>
  expectedOfChat({
    model: "gpt-4o-mini",
    messages: contents.map((content) => ({ role: "user", content })),
  }).question;

test.each([
  ["", 0],
  ["abcd", 2],
  ["caf\u00e9", 2.5],
  ["да", 2],
  ["天", 1.5],
  ["👩", 2],
])("a prompt is reserved by half of its bytes: %s", (text, tokens) => {
  expect(most(text)).toBe(Math.ceil(tokens));
  // more than is counted at once
  expect(most(text.repeat(100_000))).toBeGreaterThanOrEqual(tokens * 100_000);
  expect(most(text.repeat(100_000))).toBeLessThanOrEqual(tokens * 100_000 * 1.001);
});

test("all messages and images are reserved, and an answer that has no bound", () => {
  const image = { type: "image_url", image_url: { url: "https://x.example/i.png" } } as const;
  expect(most("abcd", "abcdef", [{ type: "text", text: "a" }, image])).toBe(2 + 3 + 1 + 1_500);
  expect(expectedOfChat({ model: "gpt-4o-mini", messages: [] }).answer).toBe(4_096);
});

test.each([
  ["as it was asked for", 100, 1, 100],
  ["for each of several answers", 100, 3, 300],
  ["up to the bound", 128_000, 1, 8_192],
  ["up to the bound for each", 128_000, 2, 16_384],
  ["up to what a count can be", 128_000, 1e9, 100_000_000 - 7],
])("an answer is reserved %s", (_, answer, answers, reserved) => {
  const expected = { question: 7, answer, answers };
  expect(reservedTokens(expected, 8_192)).toEqual({ question: 7, answers: reserved });
});
