import { type CompiledQuery, sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import type { Group } from "../../../src/storage/driver/batch.ts";
import { ask, type Driver, type Script } from "../../../src/storage/driver/driver.ts";
import { createBuilder } from "../../../src/storage/driver/queries.ts";
import { openSqlite } from "../../../src/storage/driver/sqlite.ts";
import { createWrites } from "../../../src/storage/driver/writes.ts";

const builder = createBuilder("sqlite");
const compiled = (text: string): CompiledQuery => sql.raw(text).compile(builder);
const spread = { subjectOf: () => "", lanes: 1, maxBatch: 8 };

/** A table of numbers, none of which may come twice, and how often something was committed. */
async function numbers() {
  const driver = await openSqlite({ file: ":memory:" });
  onTestFinished(() => driver.close());
  await driver.all(compiled("create table numbers (n integer primary key)"));
  let commits = 0;
  const counted: Driver = {
    ...driver,
    transaction: async (script) => {
      const result = await driver.transaction(script);
      commits += 1;
      return result;
    },
  };
  const group: Group<number, number> = {
    *script(entries): Script<readonly number[]> {
      for (const n of entries) yield* ask(compiled(`insert into numbers values (${n})`));
      return entries.map((n) => n * 10);
    },
    isSingle: () => false,
  };
  const writes = createWrites(counted);
  const kept = async () => {
    const rows = await driver.all(compiled("select n from numbers order by n"));
    return rows.map((row) => Reflect.get(row as object, "n"));
  };
  return { writes, group, kept, commits: () => commits };
}

test("what is written in one turn of the event loop shares a commit, whatever group it is of", async () => {
  const { writes, group, kept, commits } = await numbers();
  const one = writes.group(group, spread);
  const another = writes.group(group, spread);
  expect(await Promise.all([one(1), another(2), one(3), another(4)])).toEqual([10, 20, 30, 40]);
  expect(await kept()).toEqual([1, 2, 3, 4]);
  expect(commits()).toBe(1);
});

test("what comes while others are written is written after them", async () => {
  const { writes, group, kept } = await numbers();
  const one = writes.group(group, spread);
  const later = one(1).then(() => one(2));
  expect(await Promise.all([one(3), later])).toEqual([30, 20]);
  expect(await kept()).toEqual([1, 2, 3]);
});

test("an entry that cannot be written takes along neither its group nor another", async () => {
  const { writes, group, kept } = await numbers();
  const one = writes.group(group, spread);
  const another = writes.group(group, spread);
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
