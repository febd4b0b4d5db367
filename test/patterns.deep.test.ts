import { expect, test } from "vitest";
import { attacksOn, costOf, patternsOfSource } from "./support/patterns.ts";

const TEXT_BYTES = 100_000;
const MAX_MS = 50;

test.each(patternsOfSource().patterns)("$regex in $path takes at most 50 ms", ({ regex }) => {
  const slow = attacksOn(regex).find((attack) => costOf(regex, attack(TEXT_BYTES)) > MAX_MS);
  expect(slow?.(40)).toBeUndefined();
});
