import { DatabaseSync } from "node:sqlite";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import type { LedgerQuery } from "../../../src/core/accounts/ledger-query.ts";
import { startRetention } from "../../../src/storage/ledger/retention.ts";
import type { Storage } from "../../../src/storage/open.ts";
import { entry, noon, standingClock } from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";

const dayMs = 86_400_000;

eachDatabase("retention", (kind) => {
  let database: TestDatabase;
  let storage: Storage;
  const clock = standingClock();

  beforeAll(async () => {
    database = await createDatabase(kind);
  }, 20_000);
  beforeEach(async () => {
    clock.set(noon);
    storage = await database.open({ clock });
    for (const age of [0, 29, 30, 31, 400]) {
      await storage.ledger.settle(entry({ at: noon - age * dayMs }), null);
    }
  }, 20_000);
  afterEach(() => database.empty(), 20_000);
  afterAll(() => database.drop(), 20_000);

  function start(days: number) {
    // Other timers are the database's.
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const purged: number[] = [];
    const onError = (error: Error) => {
      throw error;
    };
    const onPurged = (rows: number) => void purged.push(rows);
    const stop = startRetention({ ledger: storage.ledger, clock, days, onPurged, onError });
    return { stop, purged };
  }

  test("rows that are too old go at the start and again each day", async () => {
    const retention = start(30);
    await vi.waitFor(() => expect(retention.purged).toEqual([2]));
    clock.set(noon + dayMs);
    vi.advanceTimersByTime(2 * dayMs);
    await retention.stop();
    expect(retention.purged).toEqual([2, 1]);
    expect(await storage.ledger.rows()).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("0 days keep everything", async () => {
    const retention = start(0);
    await retention.stop();
    expect(retention.purged).toEqual([]);
    expect(await storage.ledger.rows()).toHaveLength(5);
  });

  test("an export says so at its end if rows were deleted before it had come to them", async () => {
    const ids = async (query: LedgerQuery, purgeBefore: number | null) => {
      const seen: number[] = [];
      for await (const { at } of storage.ledger.export(query)) {
        if (seen.length === 0 && purgeBefore !== null) await storage.ledger.purge(purgeBefore);
        seen.push(at);
      }
      return seen.length;
    };
    await Promise.all(
      Array.from({ length: 1_500 }, (_, at) =>
        storage.ledger.settle(entry({ at: noon - 10 * dayMs + at }), null),
      ),
    );
    expect(await ids({}, noon - 30 * dayMs)).toBe(1_505);
    await expect(ids({}, noon - 9 * dayMs)).rejects.toThrow("the export is incomplete");
    expect(await ids({}, null)).toBe(1);
    await storage.ledger.settle(entry({ at: noon - 31 * dayMs }), null);
    expect(await ids({ from: noon - dayMs }, noon - 30 * dayMs)).toBe(1);
  });

  test.skipIf(kind !== "sqlite")("the room of deleted rows is used again", async () => {
    const fill = (from: number) =>
      Promise.all(
        Array.from({ length: 2_000 }, (_, at) =>
          storage.ledger.settle(entry({ at: from + at }), null),
        ),
      );
    const file = new DatabaseSync(database.place.sqliteFile ?? "");
    onTestFinished(() => file.close());
    const pages = () => Number(file.prepare("PRAGMA page_count").get()?.page_count);
    await fill(noon - 40 * dayMs);
    const before = pages();
    for (let round = 0; round < 3; round += 1) {
      await storage.ledger.purge(noon - 30 * dayMs);
      await fill(noon - 40 * dayMs);
    }
    expect(pages()).toBeLessThan(1.2 * before);
  });
});
