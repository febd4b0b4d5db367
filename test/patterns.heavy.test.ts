import { expect, test } from "vitest";
import { attacksOn, costOf, patternsOfSource, QUICK_MS } from "./support/patterns.ts";

const SMALL_BYTES = 50_000;
/** Twice the text takes twice the time, with room for a busy machine; a square takes four times. */
const MAX_RATIO = 3;

/** A machine that is busy with something else is slow once; a slow pattern is slow each time. */
const TRIES = 4;

const { patterns, built } = patternsOfSource();

test("the patterns were found, and all are literals", () => {
  expect(patterns.length).toBeGreaterThan(40);
  expect(built).toEqual([]);
});

test.each(patterns)("$regex in $path is linear", ({ regex }) => {
  // the first is enough: a slow one takes seconds
  const slow = attacksOn(regex).find((attack) => {
    const isSlow = () => {
      const largeMs = costOf(regex, attack(2 * SMALL_BYTES));
      return largeMs > QUICK_MS && largeMs > MAX_RATIO * costOf(regex, attack(SMALL_BYTES));
    };
    return Array.from({ length: TRIES }).every(isSlow);
  });
  expect(slow?.(40)).toBeUndefined();
});
