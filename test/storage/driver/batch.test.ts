import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { ProxyError } from "../../../src/core/errors.ts";
import { type Driver, query, type Transaction } from "../../../src/storage/driver/driver.ts";
import { createBuilder } from "../../../src/storage/driver/queries.ts";
import { openSqlite } from "../../../src/storage/driver/sqlite.ts";
import { batchOf, type WriteGroup, writeBatches } from "../../../src/storage/driver/writes.ts";

const builder = createBuilder("sqlite");
type Entry = number | Error;

/** Numbers are written, errors are thrown; `runs` has what each attempt was given. */
async function scene() {
  const driver = await openSqlite(":memory:");
  onTestFinished(() => driver.close());
  await driver.all(sql`create table numbers (n integer primary key)`.compile(builder));
  const runs: (readonly Entry[])[] = [];
  const kinds: string[] = [];
  const watched: Driver = {
    ...driver,
    run: (work) => {
      kinds.push("run");
      return driver.run(work);
    },
    transaction: (work) => {
      kinds.push("transaction");
      return driver.transaction(work);
    },
  };
  const group: WriteGroup<Entry, string> = {
    keyOf: () => "",
    *write(entries): Transaction<readonly string[]> {
      runs.push(entries);
      for (const entry of entries) {
        if (entry instanceof Error) throw entry;
        yield* query(sql`insert into numbers values (${entry})`.compile(builder));
      }
      return entries.map((entry) => `wrote ${entry}`);
    },
    isOneStatement: (entries) => entries.length === 1,
  };
  /** What became of each entry of each batch: its result or its error. */
  const write = async (...batches: readonly (readonly Entry[])[]) => {
    const outcomes: unknown[][] = batches.map(() => []);
    const made = batches.map((entries, at) =>
      batchOf(
        group,
        entries.map((entry) => {
          const tell = (outcome: unknown) => void outcomes[at]?.push(outcome);
          return { entry, resolve: tell, reject: tell };
        }),
      ),
    );
    await writeBatches(watched, made);
    return outcomes;
  };
  const kept = async () => {
    const rows = await driver.all(sql<{ n: number }>`select n from numbers`.compile(builder));
    return rows.map(({ n }) => n);
  };
  return { write, kept, runs, kinds };
}

const withFields = (fields: object) => Object.assign(new Error("from a database"), fields);

test("batches are written in one transaction, and each entry gets its own result", async () => {
  const { write, kept, kinds } = await scene();
  expect(await write([1, 2], [3])).toEqual([["wrote 1", "wrote 2"], ["wrote 3"]]);
  expect(await kept()).toEqual([1, 2, 3]);
  expect(kinds).toEqual(["transaction"]);
});

test("a batch of one statement needs no transaction, unless another is written with it", async () => {
  const { write, kinds } = await scene();
  await write([1]);
  await write([2], [3]);
  expect(kinds).toEqual(["run", "transaction"]);
});

test.each([
  ["a value that cannot be bound", new TypeError("cannot be bound")],
  ["a number out of range", new RangeError("out of range")],
  ["an error of ours", new ProxyError("conversation_conflict")],
  ["PostgreSQL's refusal of a statement", withFields({ severity: "ERROR" })],
  ["SQLITE_TOOBIG", withFields({ errcode: 18 })],
  ["SQLITE_CONSTRAINT, extended", withFields({ errcode: 19 | (6 << 8) })],
  ["SQLITE_MISMATCH", withFields({ errcode: 20 })],
])("%s takes along no other entry of its batch, nor another batch", async (_, refusal) => {
  const { write, kept } = await scene();
  const outcomes = await write([1, refusal, 2], [3]);
  expect(outcomes).toEqual([["wrote 1", refusal, "wrote 2"], ["wrote 3"]]);
  expect(outcomes[0]?.[1]).toBe(refusal);
  expect(await kept()).toEqual([1, 2, 3]);
});

test.each([
  ["an error that says nothing", new Error("connection lost")],
  ["PostgreSQL's end of the connection", withFields({ severity: "FATAL" })],
  ["SQLITE_FULL", withFields({ errcode: 13 })],
  ["an errcode that is no number", withFields({ errcode: "19" })],
])("%s fails all at once: nothing is tried again", async (_, failure) => {
  const { write, kept, runs } = await scene();
  expect(await write([1, failure], [2])).toEqual([[failure, failure], [failure]]);
  expect(await kept()).toEqual([]);
  expect(runs).toEqual([[1, failure]]);
});

test("an entry that was refused alone is not tried again", async () => {
  const { write, runs } = await scene();
  const refusal = new TypeError("cannot be bound");
  expect(await write([refusal])).toEqual([[refusal]]);
  expect(runs).toEqual([[refusal]]);
});
