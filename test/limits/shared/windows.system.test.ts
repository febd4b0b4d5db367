import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { LimitDecision } from "../../../src/core/ports.ts";
import { type Limits, windowsOf } from "../../../src/limits/decisions.ts";
import { AWAY, type Away } from "../../../src/limits/shared/store.ts";
import { createStoreWindows } from "../../../src/limits/shared/store-windows.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { type DirectStore, openDirectStore } from "../../support/direct-store.ts";
import {
  createReference,
  expectEqual,
  limitsUpTo,
  NO_LIMITS,
  NO_SHRINKING,
  steps,
} from "../../support/reference-windows.ts";
import { testWindows } from "../../support/windows-suite.ts";

/** Virtual time begins here, because 0 stands for the time of the store. */
const BEGIN_US = 1_800_000_000_000_000;
/** Three halves of 65 a window. */
const MAX_ENTRIES = 390;
const HEAD_BYTES = 14;
const ENTRY_BYTES = 12;

let direct: DirectStore;
let buckets = 0;

function decided(decision: LimitDecision | Away): LimitDecision {
  if (decision === AWAY) throw new Error("the store is away");
  return decision;
}

/** One bucket, as copies with these limits see it. */
function openBucket() {
  buckets += 1;
  const bucket = `bucket-${buckets}`;
  let nowUs = 0;
  const store = createStoreWindows(direct.store, "calls", () => nowUs);
  const at = (nowMs: number) => {
    nowUs = BEGIN_US + Math.round(nowMs * 1_000);
  };
  const copyWith = (limits: Partial<Limits>) => {
    const windows = windowsOf({ ...NO_LIMITS, ...limits });
    return {
      async take(nowMs: number, calls = 1) {
        at(nowMs);
        return decided(await store.take(bucket, windows, { calls, counts: true }));
      },
      async peek(nowMs: number) {
        at(nowMs);
        return decided(await store.take(bucket, windows, { calls: 1, counts: false }));
      },
      release(nowMs: number, entry: string | number, calls = 1) {
        at(nowMs);
        return store.release(bucket, Number(entry), calls);
      },
      add(nowMs: number, entries: readonly { ageMs: number; calls: number }[]) {
        at(nowMs);
        return store.add(direct.store.run, bucket, windows, entries);
      },
    };
  };
  const command = async (lua: string) =>
    Number(
      await direct.connection.run({ name: "look", lua }, [direct.store.key("calls", bucket)], []),
    );
  const lengthOf = async () => {
    const bytes = await command('return redis.call("STRLEN", KEYS[1])');
    return { count: bytes === 0 ? 0 : (bytes - HEAD_BYTES) / ENTRY_BYTES };
  };
  return {
    copyWith,
    entries: lengthOf,
    ttlMs: () => command('return redis.call("PTTL", KEYS[1])'),
  };
}

function openOne(limits: Partial<Limits>) {
  const bucket = openBucket();
  return { ...bucket.copyWith(limits), maxEntries: MAX_ENTRIES, entries: bucket.entries };
}

/** Each takes its first call at the start. */
async function walkTwoCopies(
  [some, others]: readonly [Limits, Limits],
  delays: readonly number[],
  isOthers: readonly boolean[],
): Promise<void> {
  const bucket = openBucket();
  const admittedMs: number[] = [];
  const copyOf = (limits: Limits) => {
    const copy = bucket.copyWith(limits);
    const reference = createReference(limits, admittedMs);
    return async (nowMs: number) => {
      const expected = reference.admits(nowMs);
      expectEqual((await copy.take(nowMs)).admitted, expected);
      if (expected) admittedMs.push(nowMs);
    };
  };
  const [one, other] = [copyOf(some), copyOf(others)];
  let nowMs = 0;
  await one(nowMs);
  await other(nowMs);
  for (const [step, delayMs] of delays.entries()) {
    nowMs += delayMs;
    await (isOthers[step] ? other(nowMs) : one(nowMs));
  }
}

describe("windows in the store", { tags: "redis" }, () => {
  beforeAll(async () => {
    direct = closeAfterFile(await openDirectStore());
  });

  testWindows(openOne, 0.05);

  test("copies with different limits agree on what was admitted", { timeout: 60_000 }, () => {
    const turns = fc.array(fc.boolean(), { minLength: 1_000, maxLength: 1_000, size: "max" });
    const two = fc.tuple(limitsUpTo(64), limitsUpTo(64));
    const property = fc.asyncProperty(two, steps, turns, walkTwoCopies);
    return fc.assert(property, { numRuns: 6, ...NO_SHRINKING });
  });

  test("a copy with shorter windows keeps what a longer one needs, even while that refuses", async () => {
    const bucket = openBucket();
    const hourly = bucket.copyWith({ hour: 3 });
    const hasty = bucket.copyWith({ second: 1 });
    const reference = createReference({ ...NO_LIMITS, hour: 3 }, [0]);
    await hourly.take(0);
    for (let nowMs = 600_000; nowMs < 20_000_000; nowMs += 600_000) {
      expect((await hasty.take(nowMs)).admitted).toBe(true);
      reference.admittedMs.push(nowMs);
      const expected = reference.admits(nowMs + 2_000);
      expect((await hourly.take(nowMs + 2_000)).admitted).toBe(expected);
      if (expected) reference.admittedMs.push(nowMs + 2_000);
    }
  });

  test("windows that nobody names any more are forgotten", async () => {
    const bucket = openBucket();
    await bucket.copyWith({ day: 1_000 }).take(0);
    const hasty = bucket.copyWith({ second: 10 });
    for (let hours = 1; hours <= 50; hours += 1) await hasty.take(hours * 3_600_000);
    expect(await bucket.entries()).toEqual({ count: 1 });
  });

  test("a log stays short, though one copy's exact window has room for many of another's calls", async () => {
    const bucket = openBucket();
    const exact = bucket.copyWith({ minute: 64 });
    const wide = bucket.copyWith({ minute: 100_000 });
    await exact.take(0);
    for (let step = 0; step < 3_000; step += 1) await wide.take(step * 10);
    expect((await bucket.entries()).count).toBeLessThanOrEqual(MAX_ENTRIES);
    expect((await wide.peek(30_000)).windows[0]?.remaining).toBe(100_000 - 3_001);
  });

  test("a clock that goes back keeps nobody out for longer than a window", async () => {
    const bucket = openOne({ minute: 3 });
    for (const nowMs of [86_400_000, 86_400_001, 86_400_002]) await bucket.take(nowMs);
    // a day back: they count as of now
    expect(await bucket.take(5_000)).toMatchObject({ admitted: false, retryAfterMs: 60_000 });
    expect((await bucket.take(64_999)).admitted).toBe(false);
    expect((await bucket.take(65_000)).admitted).toBe(true);
  });

  test("refusals write nothing", async () => {
    const bucket = openBucket();
    const copy = bucket.copyWith({ minute: 1 });
    expect((await copy.take(0, 2)).retryAfterMs).toBe(Number.POSITIVE_INFINITY);
    expect(await bucket.ttlMs()).toBe(-2);
    await copy.take(0);
    for (let step = 0; step < 100; step += 1) await copy.take(step);
    expect(await bucket.entries()).toEqual({ count: 1 });
  });

  test("a bucket expires with its longest window", async () => {
    const bucket = openBucket();
    await bucket.copyWith({ second: 5, hour: 5 }).take(0);
    expect(await bucket.ttlMs()).toBeGreaterThan(3_590_000);
    expect(await bucket.ttlMs()).toBeLessThanOrEqual(3_600_000);
  });

  test("what is given back whole leaves nothing", async () => {
    const bucket = openBucket();
    const copy = bucket.copyWith({ hour: 5 });
    const { entry } = await copy.take(0, 3);
    await copy.release(1, entry ?? 0, 3);
    expect(await bucket.ttlMs()).toBe(-2);
  });

  test("calls that were counted elsewhere are added at their age, over the limit", async () => {
    const bucket = openOne({ minute: 4 });
    await bucket.take(100_000);
    await bucket.add(101_000, [
      { ageMs: 70_000, calls: 9 },
      { ageMs: 30_000, calls: 3 },
      { ageMs: 500, calls: 2 },
      // a clock that is ahead
      { ageMs: -5_000, calls: 1 },
    ]);
    const refused = await bucket.take(102_000);
    expect(refused.windows).toMatchObject([{ remaining: 0, resetMs: 29_000 }]);
    // of seven, four must leave: those of half a minute ago, and the first
    expect(refused.retryAfterMs).toBe(58_000);
    expect((await bucket.peek(159_999)).admitted).toBe(false);
    expect((await bucket.peek(160_000)).admitted).toBe(true);
    expect((await bucket.peek(161_000)).windows).toMatchObject([{ remaining: 4 }]);
  });

  test("the time of the store decides where none is given", { timeout: 60_000 }, async () => {
    const windows = windowsOf({ ...NO_LIMITS, second: 5, minute: 1_000 });
    const store = createStoreWindows(direct.store, "calls");
    const entries: number[] = [];
    let refused = 0;
    while (entries.length < 14) {
      const { entry } = decided(
        await store.take("by the clock", windows, { calls: 1, counts: true }),
      );
      if (entry === null) refused += 1;
      else entries.push(Number(entry));
    }
    const spansUs = entries.slice(5).map((entry, index) => entry - (entries[index] ?? 0));
    expect(Math.min(...spansUs)).toBeGreaterThanOrEqual(1_000_000);
    expect(refused).toBeGreaterThan(0);
  });
});
