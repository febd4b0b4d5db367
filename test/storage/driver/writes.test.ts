import { type CompiledQuery, sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { type Driver, query, type Transaction } from "../../../src/storage/driver/driver.ts";
import { createBuilder } from "../../../src/storage/driver/queries.ts";
import { openSqlite } from "../../../src/storage/driver/sqlite.ts";
import type { WriteGroup } from "../../../src/storage/driver/writes.ts";
import { createWrites } from "../../../src/storage/driver/writes.ts";

const builder = createBuilder("sqlite");
const compiled = (text: string): CompiledQuery => sql.raw(text).compile(builder);
const partitioning = { partitions: 1, maxBatch: 8 };

/** A table of unique numbers, and how many transactions were committed. */
async function numbers() {
  const driver = await openSqlite(":memory:");
  onTestFinished(() => driver.close());
  await driver.all(compiled("create table numbers (n integer primary key)"));
  let commits = 0;
  const counted: Driver = {
    ...driver,
    transaction: async (work) => {
      const result = await driver.transaction(work);
      commits += 1;
      return result;
    },
  };
  const group: WriteGroup<number, number> = {
    keyOf: () => "",
    *write(entries): Transaction<readonly number[]> {
      for (const n of entries) yield* query(compiled(`insert into numbers values (${n})`));
      return entries.map((n) => n * 10);
    },
    isOneStatement: () => false,
  };
  const writes = createWrites(counted);
  const kept = async () => {
    const rows = await driver.all(compiled("select n from numbers order by n"));
    return rows.map((row) => Reflect.get(row as object, "n"));
  };
  return { writes, group, kept, commits: () => commits };
}

test("entries of one tick share a commit, whatever their group", async () => {
  const { writes, group, kept, commits } = await numbers();
  const one = writes.group(group, partitioning);
  const another = writes.group(group, partitioning);
  expect(await Promise.all([one(1), another(2), one(3), another(4)])).toEqual([10, 20, 30, 40]);
  expect(await kept()).toEqual([1, 2, 3, 4]);
  expect(commits()).toBe(1);
});

test("entries that come during a write are written after it", async () => {
  const { writes, group, kept } = await numbers();
  const one = writes.group(group, partitioning);
  const later = one(1).then(() => one(2));
  expect(await Promise.all([one(3), later])).toEqual([30, 20]);
  expect(await kept()).toEqual([1, 2, 3]);
});

test("an entry that cannot be written fails neither its group nor another", async () => {
  const { writes, group, kept } = await numbers();
  const one = writes.group(group, partitioning);
  const another = writes.group(group, partitioning);
  const results = await Promise.allSettled([one(1), another(5), one(1), one(2), another(6)]);
  expect(results.map(({ status }) => status)).toEqual([
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
    "fulfilled",
  ]);
  expect(await kept()).toEqual([1, 2, 5, 6]);
});
