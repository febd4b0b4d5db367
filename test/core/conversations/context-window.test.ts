import { describe, expect, test } from "vitest";
import type { Content } from "../../../src/core/call/messages.ts";
import { newestThatFit, roomForHistory } from "../../../src/core/conversations/context-window.ts";
import type { Message } from "../../../src/core/conversations/conversations.ts";
import { timeRatio } from "../../support/timing.ts";

const turn = (at: number, question: Content, answer: Content = "a"): Message[] => [
  { ...message, id: `${at}q`, role: "user", content: question },
  { ...message, id: `${at}`, role: "assistant", content: answer },
];
const message = { parentId: null, createdAt: 0, state: "complete" } as const;

describe("room for history", () => {
  test.each([
    ["gpt-4", 8_192],
    ["gpt-4-0613", 8_192],
    ["gpt-4o-mini", 128_000],
    ["gpt-4.1-nano", 1_000_000],
    ["gpt-5-mini", 400_000],
    ["o3", 200_000],
    ["gpt-3.5-turbo", 16_385],
    ["llama-3", 32_000],
  ])("of %s is its window less the answer", (model, window) => {
    expect(roomForHistory(model, [], 1_000, null)).toBe(window - 1_000);
  });

  test("is what a setting says, whatever the model", () => {
    expect(roomForHistory("gpt-4o", [], 100, 1_000)).toBe(900);
  });

  test("is less by the question, and never below nothing", () => {
    expect(roomForHistory("gpt-4", ["x".repeat(3_000)], 1_000, null)).toBe(8_192 - 1_000 - 1_004);
    expect(roomForHistory("gpt-4", ["天".repeat(9_000)], 1_000, null)).toBe(0);
  });

  test("keeps half of a window for history where the answer may be longer than that", () => {
    expect(roomForHistory("gpt-4", [], 1_000_000, null)).toBe(4_096);
  });
});

describe("the newest turns that fit", () => {
  const history = [...turn(1, "x".repeat(300)), ...turn(2, "x".repeat(300)), ...turn(3, "x")];

  test("are whole turns, without a gap", () => {
    const ids = (tokens: number) => newestThatFit(history, tokens).map(({ id }) => id);
    expect(ids(10_000)).toEqual(["1q", "1", "2q", "2", "3q", "3"]);
    expect(ids(130)).toEqual(["2q", "2", "3q", "3"]);
    expect(ids(20)).toEqual(["3q", "3"]);
    expect(ids(5)).toEqual([]);
  });

  test("count a wide character as a token and an image as many", () => {
    const wide = [...turn(1, "天".repeat(100))];
    expect(newestThatFit(wide, 100)).toEqual([]);
    expect(newestThatFit(wide, 120)).toEqual(wide);
    const image = { type: "image_url", image_url: { url: "https://x.example/i.png" } } as const;
    const pictured = turn(1, [{ type: "text", text: "what?" }, image]);
    expect(newestThatFit(pictured, 1_000)).toEqual([]);
    expect(newestThatFit(pictured, 2_000)).toEqual(pictured);
  });

  test("count what is mixed character by character, to the token", () => {
    const mixed = turn(1, `${"天".repeat(30)}👩${"я".repeat(300)}`, "");
    expect(newestThatFit(mixed, 30 + 2 + 100 + 4 + 4)).toEqual(mixed);
    expect(newestThatFit(mixed, 30 + 2 + 100 + 4 + 3)).toEqual([]);
  });

  test("take time in proportion to the text", () => {
    const fit = (size: number) => {
      const hostile = [...turn(1, "a".repeat(size)), ...turn(2, "天".repeat(size))];
      return () => void newestThatFit(hostile, Number.MAX_SAFE_INTEGER);
    };
    expect(timeRatio(fit(1_600_000), fit(100_000))).toBeLessThan(4 * 16);
  });
});
