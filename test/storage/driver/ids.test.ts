import fc from "fast-check";
import { expect, test } from "vitest";
import { createIds } from "../../../src/storage/driver/ids.ts";

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const wallMs = fc.integer({ min: 0, max: 2 ** 50 - 2 });

test("an id is its time and 64 random bits in base 32, each in its own width", () => {
  const property = fc.property(wallMs, word, word, (time, first, second) => {
    const newId = createIds((words) => words.set([first, second]));
    const padded = (number: number, width: number) => number.toString(32).padStart(width, "0");
    const id = padded(time, 10) + padded(first, 7) + padded(second, 7);
    expect(newId(time)).toBe(id);
    expect(newId(time + 0.9), "a fraction of a millisecond").toHaveLength(24);
  });
  fc.assert(property);
});

test("a later id sorts after an earlier one", () => {
  const newId = createIds();
  const property = fc.property(wallMs, wallMs, (one, other) => {
    const ids = [newId(Math.max(one, other) + 1), newId(Math.min(one, other))];
    expect(ids.toSorted()).toEqual(ids.toReversed());
  });
  fc.assert(property);
});
