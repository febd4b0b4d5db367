import { expect, test } from "vitest";
import type { Content } from "../../../src/core/call/messages.ts";
import { reservedForChat } from "../../../src/core/call/reserved-tokens.ts";

const most = (...contents: Content[]) =>
  reservedForChat({
    model: "gpt-4o-mini",
    messages: contents.map((content) => ({ role: "user", content })),
    maxTokens: 0,
  });

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
  expect(reservedForChat({ model: "gpt-4o-mini", messages: [] })).toBe(4_096);
});
