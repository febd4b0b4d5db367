/** Counts of calls that all instances add to one database. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CallRecord } from "../../src/core/ports.ts";
import type { CallCountStore } from "../../src/core/reports/call-counts.ts";
import { shownCounts, sumOfCounts } from "../../src/core/reports/call-counts.ts";
import { createCountBook } from "../../src/metrics/count-book.ts";
import { openStorage, type Storage } from "../../src/storage/open.ts";
import { standingClock } from "../storage/support/calls.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 2, 10, 30);
const clock = standingClock();
let storage: Storage;

beforeEach(async () => {
  clock.set(START_MS);
  storage = await openStorage({ sqliteFile: ":memory:", clock, oneOff: true });
});
afterEach(() => storage.close());

const record = (fields: Partial<CallRecord> = {}) =>
  // all that is read of it
  ({ outcome: "completed", error: null, firstTokenMs: null, ...fields }) as CallRecord;
const refused = (error: CallRecord["error"], refusedBy?: CallRecord["refusedBy"]) =>
  record({ outcome: "refused", error, refusedBy });

test("the last 24 hours are counted by what became of calls, over all instances", async () => {
  const [one, other] = [storage.callCounts, storage.callCounts].map((store) =>
    createCountBook(store, clock),
  );
  for (let n = 0; n < 3; n += 1) one?.call(record());
  other?.call(record({ outcome: "failed", error: "upstream_unavailable" }));
  other?.call(record({ outcome: "failed", error: "key_rejected" }));
  other?.decision({ admitted: false, refusedBy: null });
  await other?.write();
  const newest = { at: Date.UTC(2026, 0, 2, 10), answered: 4, failed: 1, refused: 1 };
  const { hours = [] } = (await one?.lastDay()) ?? {};
  expect([hours.length, hours.at(-1)]).toEqual([24, newest]);
  await one?.write();
  expect((await one?.lastDay())?.hours.at(-1)).toEqual(newest);
  clock.set(START_MS + 23 * HOUR_MS);
  expect((await one?.lastDay())?.hours[0]).toEqual(newest);
  clock.set(START_MS + 24 * HOUR_MS);
  expect((await one?.lastDay())?.hours.every(({ answered }) => answered === 0)).toBe(true);
});

test("they are there after a restart", async () => {
  const before = createCountBook(storage.callCounts, clock);
  before.call(record({ firstTokenMs: 500 }));
  await before.write();
  const { hours, firstToken } = await createCountBook(storage.callCounts, clock).lastDay();
  expect(hours.at(-1)?.answered).toBe(1);
  expect(Math.abs((firstToken?.median ?? 0) / 500 - 1)).toBeLessThan(0.07);
});

test("what others have written is read again after ten seconds", async () => {
  const book = createCountBook(storage.callCounts, clock);
  await book.lastDay();
  const other = createCountBook(storage.callCounts, clock);
  other.call(record());
  await other.write();
  expect((await book.lastDay()).hours.at(-1)?.answered).toBe(0);
  clock.set(START_MS + 10_000);
  expect((await book.lastDay()).hours.at(-1)?.answered).toBe(1);
});

test("decisions are counted by what refused the call", async () => {
  const book = createCountBook(storage.callCounts, clock);
  const window = { name: "minute", windowMs: 60_000, limit: 1, remaining: 0, resetMs: 1 } as const;
  for (let n = 0; n < 8; n += 1) book.decision({ admitted: true, refusedBy: null });
  book.decision({ admitted: false, refusedBy: window });
  book.call(refused("rate_limited", "hour"));
  book.call(refused("streams_limited"));
  book.call(refused("tokens_limited"));
  book.call(refused("call_too_large"));
  book.call(refused("quota_exceeded"));
  book.call(refused("group_quota_exceeded"));
  book.call(refused("model_forbidden"));
  const hour = Math.floor(START_MS / HOUR_MS);
  const shown = shownCounts(sumOfCounts(await book.between(hour, hour + 1)));
  expect([shown.admitted, shown.refused]).toEqual([
    1,
    { second: 0, minute: 1, hour: 1, day: 0, streams: 1, tokens: 2, quota: 2, other: 1 },
  ]);
});

test("what the database does not take is added later, once", async () => {
  let isAway = true;
  const store: CallCountStore = {
    between: storage.callCounts.between,
    add: (hours) => (isAway ? Promise.reject(new Error("away")) : storage.callCounts.add(hours)),
  };
  const book = createCountBook(store, clock);
  book.call(record());
  await expect(book.write()).rejects.toThrow("away");
  clock.set(START_MS + HOUR_MS);
  book.call(record());
  isAway = false;
  await book.write();
  await book.write();
  const hours = (await createCountBook(storage.callCounts, clock).lastDay()).hours.slice(-2);
  expect(hours.map(({ answered }) => answered)).toEqual([1, 1]);
});

test("a database that is away keeps nobody from the counts that are known", async () => {
  const away: CallCountStore = {
    between: () => Promise.reject(new Error("away")),
    add: () => Promise.reject(new Error("away")),
  };
  const book = createCountBook(away, clock);
  book.call(record());
  expect((await book.lastDay()).hours.at(-1)?.answered).toBe(1);
});
