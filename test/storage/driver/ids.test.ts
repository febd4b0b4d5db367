import fc from "fast-check";
import { expect, test } from "vitest";
import { createOrderedIds, newId } from "../../../src/storage/driver/ids.ts";

const wallMs = fc.integer({ min: 0, max: 2 ** 50 - 2 });

test("an id is its time in base 32 and 64 random bits, each in its own width", () => {
  const property = fc.property(wallMs, (time) => {
    expect(newId(time + 0.9)).toMatch(/^[0-9a-v]{10}[0-9a-f]{16}$/);
    expect(newId(time).slice(0, 10)).toBe(time.toString(32).padStart(10, "0"));
  });
  fc.assert(property);
});

test("ids of one moment differ in every digit", () => {
  const ids = Array.from({ length: 2_000 }, () => newId(0));
  expect(new Set(ids).size).toBe(ids.length);
  for (let at = 10; at < 26; at++) expect(new Set(ids.map((id) => id[at])).size).toBe(16);
});

test("a later id sorts after an earlier one", () => {
  const property = fc.property(wallMs, wallMs, (one, other) => {
    const ids = [newId(Math.max(one, other) + 1), newId(Math.min(one, other))];
    expect(ids.toSorted()).toEqual(ids.toReversed());
  });
  fc.assert(property);
});

test("ordered ids of one millisecond sort in the order in which they were made", () => {
  const next = createOrderedIds();
  const ids = [...Array.from({ length: 100 }, () => next(5)), next(6), next(7), next(7)];
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});
