import { afterAll, beforeAll, expect, test } from "vitest";
import {
  counterNames,
  counterOf,
  type HourOfCounts,
  sumOfCounts,
} from "../../../src/core/reports/call-counts.ts";
import { databaseOn } from "../../../src/storage/driver/database.ts";
import { openSqlite } from "../../../src/storage/driver/sqlite.ts";
import { createCallCountStore } from "../../../src/storage/reports/call-counts.ts";
import { createSweeps } from "../../../src/storage/sweeps.ts";
import { noon, standingClock } from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";

const HOUR_MS = 3_600_000;
const hour = Math.floor(noon / HOUR_MS);

function counted(at: number, answered: number): HourOfCounts {
  const counts = new Int32Array(counterNames.length);
  counts[counterOf("answered")] = answered;
  return { hour: at, counts };
}

eachDatabase("counts of calls", (kind) => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createDatabase(kind);
  }, 20_000);
  afterAll(() => database.drop(), 20_000);

  test("add up, whoever adds to them at once", async () => {
    const copies = [await database.open({ oneOff: true }), await database.open({ oneOff: true })];
    const hours = [counted(hour - 1, 3), counted(hour, 5), counted(hour + 1, 7)];
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(copies.map(({ callCounts }) => callCounts.add(hours)));
    }
    const [found] = await Promise.all(
      copies.map(({ callCounts }) => callCounts.between(hour - 1, hour + 1)),
    );
    const sums = (found ?? []).map((one) => [one.hour, sumOfCounts([one])[counterOf("answered")]]);
    expect(new Map(sums as [number, number][])).toEqual(
      new Map([
        [hour - 1, 60],
        [hour, 100],
      ]),
    );
  }, 30_000);

  test("of every kind come back, also many hours at once", async () => {
    const { callCounts } = await database.open({ oneOff: true });
    const all = Array.from({ length: 24 }, (_, at) => ({
      hour: hour + 100 + at,
      counts: counterNames.map((_name, counter) => 1_000 * at + counter),
    }));
    await callCounts.add(all);
    const found = await callCounts.between(hour + 100, hour + 124);
    expect(sumOfCounts(found)).toEqual(sumOfCounts(all));
  }, 30_000);
});

test("counts are kept for 32 days", async () => {
  const clock = standingClock();
  const database = databaseOn(await openSqlite(":memory:"));
  const store = createCallCountStore(database);
  await store.add([counted(hour - 32 * 24, 1), counted(hour - 32 * 24 - 1, 1)]);
  for (const sweep of createSweeps(database, clock)) await sweep();
  expect((await store.between(0, hour)).map((one) => one.hour)).toEqual([hour - 32 * 24]);
  await database.driver.close();
});
