import { expect, it } from "vitest";
import { PassedTokens } from "../../../src/core/call/passed-tokens.ts";

const tokensOf = (pieces: readonly string[]): number => {
  const passed = new PassedTokens();
  for (const piece of pieces) passed.add(piece);
  return passed.tokens;
};

it.each<[string, readonly string[], number]>([
  ["nothing", [], 0],
  ["empty pieces", ["", ""], 0],
  ["a word a piece", Array<string>(400).fill("a "), 400],
  ["long pieces of ASCII by their characters", ["a".repeat(400)], 100],
  ["a part of a token as one", ["a".repeat(5)], 2],
  ["other characters one by one", ["日本語", "é"], 4],
  ["both kinds together", ["abcd日本"], 3],
  ["a character beyond the basic plane once", ["😀😀"], 2],
  ["a character cut in two once", ["aaaaaaaa\ud83d", "\ude00"], 3],
])("counts %s", (_, pieces, tokens) => {
  expect(tokensOf(pieces)).toBe(tokens);
});
