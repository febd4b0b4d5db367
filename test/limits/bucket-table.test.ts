import fc from "fast-check";
import { expect, test } from "vitest";
import { createBucketTable, NO_SLOT } from "../../src/limits/bucket-table.ts";

const CAPACITY = 8;

test("a small table agrees with a Map through uses and removals of all kinds", () => {
  const actions = fc.array(
    fc.record({
      kind: fc.constantFrom("use", "use", "remove", "drop-oldest"),
      bucket: fc.integer({ min: 0, max: 30 }).map((index) => `10.0.0.${index}`),
    }),
    { minLength: 500, maxLength: 500, size: "max" },
  );
  const property = fc.property(actions, fc.nat(), (all, seed) => {
    const table = createBucketTable(CAPACITY, seed);
    const model = new Map<string, number>();
    const remove = (bucket: string | undefined) => {
      if (bucket === undefined) return;
      table.remove(table.find(bucket));
      model.delete(bucket);
    };
    const use = (bucket: string) => {
      const known = model.get(bucket);
      if (known !== undefined) table.touch(known);
      else if (table.isFull()) remove(oldestOf(model));
      model.delete(bucket);
      model.set(bucket, known ?? table.add(bucket));
    };
    for (const { kind, bucket } of all) {
      if (kind === "use") use(bucket);
      else if (kind === "drop-oldest") remove(oldestOf(model));
      else if (model.has(bucket)) remove(bucket);
      expect(table.find(bucket)).toBe(model.get(bucket) ?? NO_SLOT);
      expect(table.oldest()).toBe(model.get(oldestOf(model) ?? "") ?? NO_SLOT);
      expect(table.isFull()).toBe(model.size === CAPACITY);
    }
    for (const [bucket, slot] of model) expect(table.find(bucket)).toBe(slot);
    expect(new Set(model.values()).size).toBe(model.size);
  });
  fc.assert(property, { numRuns: 100 });
});

test("a million addresses all get slots of their own", () => {
  const table = createBucketTable(1_000_000, 1);
  let shared = 0;
  for (let index = 0; index < 1_000_000; index += 1) {
    const half = index >> 1;
    const low = `${(half >> 8) & 255}.${half & 255}`;
    const bucket = index % 2 ? `10.${half >> 16}.${low}` : `2001:db8:0:${half.toString(16)}::/64`;
    if (table.find(bucket) !== NO_SLOT) shared += 1;
    table.add(bucket);
  }
  expect(shared).toBe(0);
});

function oldestOf(model: ReadonlyMap<string, number>): string | undefined {
  return model.keys().next().value;
}
