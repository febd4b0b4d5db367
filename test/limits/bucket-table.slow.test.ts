import fc from "fast-check";
import { expect, test } from "vitest";
import { FIRST_ROOM } from "../../src/limits/array-access.ts";
import { type BucketTable, createBucketTable, NO_SLOT } from "../../src/limits/bucket-table.ts";

test.each([
  { title: "a small table", before: 0, capacity: 8 },
  { title: "a table that grows", before: FIRST_ROOM - 4, capacity: FIRST_ROOM + 4 },
])("$title agrees with a Map through uses and removals of all kinds", ({ before, capacity }) => {
  const actions = fc.array(
    fc.record({
      kind: fc.constantFrom("use", "use", "remove", "drop-oldest"),
      bucket: fc.integer({ min: 0, max: 30 }).map((index) => `10.0.0.${index}`),
    }),
    { minLength: 500, maxLength: 500, size: "max" },
  );
  const property = fc.property(actions, fc.nat(), (all, seed) => {
    const table = createBucketTable(capacity, seed);
    const model = createModel(table);
    for (let index = 0; index < before; index += 1) model.use(`10.1.${index >> 8}.${index & 255}`);
    for (const { kind, bucket } of all) {
      model.apply(kind, bucket);
      expect(table.find(bucket)).toBe(model.slots.get(bucket) ?? NO_SLOT);
      expect(table.oldest()).toBe(model.slots.get(model.oldest()) ?? NO_SLOT);
      expect(table.isFull()).toBe(model.slots.size === capacity);
    }
    const buckets = [...model.slots.keys()];
    expect(buckets.map(table.find)).toEqual([...model.slots.values()]);
    expect(new Set(model.slots.values()).size).toBe(buckets.length);
  });
  fc.assert(property, { numRuns: before > 0 ? 10 : 100 });
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

/** Does the same to the table and to a Map, whose order is the order of use. */
function createModel(table: BucketTable) {
  const slots = new Map<string, number>();
  const oldest = () => slots.keys().next().value ?? "";
  const remove = (bucket: string) => {
    const slot = slots.get(bucket);
    if (slot !== undefined) table.remove(slot);
    slots.delete(bucket);
  };
  const use = (bucket: string) => {
    const known = slots.get(bucket);
    if (known !== undefined) table.touch(known);
    else if (table.isFull()) remove(oldest());
    slots.delete(bucket);
    slots.set(bucket, known ?? table.add(bucket));
  };
  const apply = (kind: string, bucket: string) => {
    if (kind === "use") use(bucket);
    else remove(kind === "remove" ? bucket : oldest());
  };
  return { slots, oldest, use, apply };
}
