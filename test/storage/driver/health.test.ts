import { expect, onTestFinished, test } from "vitest";
import { watchWrites } from "../../../src/storage/driver/health.ts";
import { openSqlite } from "../../../src/storage/driver/sqlite.ts";

const silent = new Error("Query read timeout");

// biome-ignore lint/correctness/useYield: a transaction is a generator, also one without queries.
function* nothing() {
  return undefined;
}

/** Transactions that end when the test says so. */
async function scene() {
  const sqlite = await openSqlite(":memory:");
  onTestFinished(() => sqlite.close());
  const waiting: PromiseWithResolvers<never>[] = [];
  const transaction = () => {
    const one = Promise.withResolvers<never>();
    waiting.push(one);
    return one.promise;
  };
  const { driver, problem } = watchWrites({ ...sqlite, transaction }, () => undefined);
  const write = () => {
    const result = driver.transaction(() => nothing());
    const { resolve, reject } = waiting.at(-1) ?? Promise.withResolvers<never>();
    return {
      // Cast: the transaction returns nothing.
      good: async () => {
        resolve(undefined as never);
        await result;
      },
      bad: async () => {
        reject(silent);
        await expect(result).rejects.toBe(silent);
      },
    };
  };
  return { write, problem };
}

test("a write that fails late says nothing about a database that took a later one", async () => {
  const { write, problem } = await scene();
  const [slow, later] = [write(), write()];
  await later.good();
  await slow.bad();
  expect(problem()).toBeNull();
  await write().bad();
  expect(problem()).toMatchObject({ cause: "silent" });
});

test("a write that began before the failure clears it: the database took it", async () => {
  const { write, problem } = await scene();
  const [first, second] = [write(), write()];
  await second.bad();
  expect(problem()).not.toBeNull();
  await first.good();
  expect(problem()).toBeNull();
});
