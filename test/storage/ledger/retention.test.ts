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
});
