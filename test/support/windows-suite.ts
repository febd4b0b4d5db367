/** What holds for windows wherever they are counted, on random walks through virtual time. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MaybePromise } from "../../src/core/maybe-promise.ts";
import type { LimitDecision, LimitEntry } from "../../src/core/ports.ts";
import type { Limits } from "../../src/limits/decisions.ts";
import {
  createReference,
  expectEqual,
  expectExact,
  expectNoSpanOver,
  LATENESS,
  limitsUpTo,
  NO_LIMITS,
  NO_SHRINKING,
  steps,
} from "./reference-windows.ts";

/** One bucket. Times are milliseconds, also in parts. */
export interface WindowBucket {
  take(nowMs: number): MaybePromise<LimitDecision>;
  peek(nowMs: number): MaybePromise<LimitDecision>;
  release(nowMs: number, entry: LimitEntry): MaybePromise<unknown>;
  /** How many entries its log may have, and has. */
  readonly maxEntries: number;
  entries(): MaybePromise<{ readonly count: number }>;
}

const LONG = { timeout: 60_000 };
const dense = fc.array(fc.integer({ min: 1, max: 120 }), {
  minLength: 3_000,
  maxLength: 3_000,
  size: "max",
});
/** After each call, the call so many before it is given back, if the number is up to MOST_BACK. */
const MOST_BACK = 10;
const releases = fc.array(fc.integer({ min: 0, max: 2 * MOST_BACK }), {
  minLength: 1_000,
  maxLength: 1_000,
  size: "max",
});

type Open = (limits: Limits) => WindowBucket;

/** `thoroughness`: 1 for what decides in a microsecond, less for what needs a round trip. */
export function testWindows(open: Open, thoroughness: number): void {
  const runs = (count: number) => ({
    numRuns: Math.max(2, Math.round(count * thoroughness)),
    ...NO_SHRINKING,
  });
  testWalks(open, runs);
  testByHand((limits) => open({ ...NO_LIMITS, ...limits }));
}

type Runs = (count: number) => { readonly numRuns: number; readonly endOnFailure: boolean };

async function walk(
  delays: readonly number[],
  each: (nowMs: number, step: number) => Promise<void>,
): Promise<void> {
  let nowMs = 0;
  for (const [step, delayMs] of delays.entries()) {
    nowMs += delayMs;
    await each(nowMs, step);
  }
}

async function walkAndGiveBack(
  bucket: WindowBucket,
  limits: Limits,
  delays: readonly number[],
  back: readonly number[],
): Promise<void> {
  const reference = createReference(limits);
  const { admittedMs } = reference;
  const taken: { entry: LimitEntry; atMs: number }[] = [];
  const take = async (nowMs: number) => {
    const expected = reference.admits(nowMs);
    const { admitted, entry } = await bucket.take(nowMs);
    expectEqual(admitted, expected);
    if (entry === null) return;
    taken.push({ entry, atMs: nowMs });
    admittedMs.push(nowMs);
  };
  const giveBack = async (nowMs: number, index: number) => {
    const [given] = taken.splice(-1 - index, 1);
    if (given === undefined) return;
    await bucket.release(nowMs, given.entry);
    admittedMs.splice(admittedMs.lastIndexOf(given.atMs), 1);
    const { windows } = await bucket.peek(nowMs);
    for (const state of windows) expectExact(state, reference, nowMs);
  };
  await walk(delays, async (nowMs, step) => {
    await take(nowMs);
    const index = back[step] ?? 0;
    if (index <= MOST_BACK) await giveBack(nowMs, index);
  });
}

function testWalks(open: Open, runs: Runs): void {
  describe("against a reference that keeps every call", () => {
    test("up to a limit of 64 they agree on every call and every number", LONG, () => {
      const property = fc.asyncProperty(limitsUpTo(64), steps, (limits, delays) => {
        const bucket = open(limits);
        const reference = createReference(limits);
        return walk(delays, async (nowMs) => {
          const expected = reference.admits(nowMs);
          const decision = await bucket.take(nowMs);
          if (expected) reference.admittedMs.push(nowMs);
          expectEqual(decision.admitted, expected);
          for (const state of decision.windows) expectExact(state, reference, nowMs);
        });
      });
      return fc.assert(property, runs(100));
    });

    test("and among calls that are given back", LONG, () => {
      const property = fc.asyncProperty(limitsUpTo(64), steps, releases, (limits, delays, back) =>
        walkAndGiveBack(open(limits), limits, delays, back),
      );
      return fc.assert(property, runs(60));
    });

    test("above it they never admit more, and refuse at most 1/64 of a window longer", LONG, () => {
      const property = fc.asyncProperty(limitsUpTo(600), steps, async (limits, delays) => {
        const bucket = open(limits);
        const reference = createReference(limits);
        await walk(delays, async (nowMs) => {
          const { admitted } = await bucket.take(nowMs);
          expectEqual(reference.admits(nowMs, admitted ? 1 : 1 + LATENESS), admitted);
          if (admitted) reference.admittedMs.push(nowMs);
        });
        expectEqual((await bucket.entries()).count <= bucket.maxEntries, true);
        expectNoSpanOver(limits, reference.admittedMs);
      });
      return fc.assert(property, runs(100));
    });

    test("the same holds for long logs that are tidied again and again", LONG, () => {
      const limits = fc.record({
        second: fc.constantFrom(0, 30, 100),
        minute: fc.integer({ min: 65, max: 2_000 }),
        hour: fc.constantFrom(0, 1_500, 20_000),
        day: fc.constant(0),
      });
      const property = fc.asyncProperty(limits, dense, (limits, delays) => {
        const bucket = open(limits);
        const reference = createReference(limits);
        return walk(delays, async (nowMs) => {
          const { admitted, retryAfterMs } = await bucket.take(nowMs);
          expectEqual(reference.admits(nowMs, admitted ? 1 : 1 + LATENESS), admitted);
          if (admitted) reference.admittedMs.push(nowMs);
          else expectEqual((await bucket.peek(nowMs + retryAfterMs)).admitted, true);
        });
      });
      return fc.assert(property, runs(30));
    });

    test("a window of up to 64 stays exact beside larger ones", LONG, () => {
      const exact = fc.integer({ min: 1, max: 64 });
      const property = fc.asyncProperty(exact, steps, (minute, delays) => {
        const limits = { second: 500, minute, hour: 100_000, day: 100_000 };
        const bucket = open(limits);
        const reference = createReference(limits);
        return walk(delays, async (nowMs) => {
          const expected = reference.admits(nowMs);
          expectEqual((await bucket.take(nowMs)).admitted, expected);
          if (expected) reference.admittedMs.push(nowMs);
        });
      });
      return fc.assert(property, runs(30));
    });

    test("waiting as long as a refusal says is enough, and a millisecond less is not", LONG, () => {
      const property = fc.asyncProperty(limitsUpTo(200), steps, (limits, delays) => {
        const bucket = open(limits);
        return walk(delays.slice(0, 300), async (nowMs) => {
          const { admitted, retryAfterMs, refusedBy } = await bucket.take(nowMs);
          expectEqual(admitted, retryAfterMs === 0);
          expectEqual(admitted, refusedBy === null);
          if (admitted) return;
          expectEqual((await bucket.peek(nowMs + retryAfterMs)).admitted, true);
          expectEqual((await bucket.peek(nowMs + retryAfterMs - 1)).admitted, false);
        });
      });
      return fc.assert(property, runs(100));
    });
  });
}

/** Small cases, to be read. */
function testByHand(open: (limits: Partial<Limits>) => WindowBucket): void {
  test("500 calls at once with limit 50 admit exactly 50", async () => {
    const bucket = open({ minute: 50 });
    const all = await Promise.all(Array.from({ length: 500 }, () => bucket.take(0)));
    expect(all.filter(({ admitted }) => admitted)).toHaveLength(50);
  });

  test("a boundary between two windows admits no second budget", async () => {
    const bucket = open({ second: 100 });
    for (let index = 0; index < 100; index += 1) await bucket.take(999);
    expect((await bucket.take(1_000)).admitted).toBe(false);
    expect((await bucket.take(1_998)).admitted).toBe(false);
    expect((await bucket.take(1_999)).admitted).toBe(true);
  });

  test("calls refused by the second do not eat the minute", async () => {
    const bucket = open({ second: 1, minute: 3 });
    const admittedMs = [];
    for (let nowMs = 0; nowMs < 3_000; nowMs += 100) {
      if ((await bucket.take(nowMs)).admitted) admittedMs.push(nowMs);
    }
    expect(admittedMs).toEqual([0, 1_000, 2_000]);
  });

  test("a refusal names the window that refuses longest and how long", async () => {
    const bucket = open({ second: 1, minute: 2 });
    await bucket.take(0);
    await bucket.take(1_500);
    expect(await bucket.take(1_600)).toEqual({
      admitted: false,
      windows: [
        { name: "second", windowMs: 1_000, limit: 1, remaining: 0, resetMs: 900 },
        { name: "minute", windowMs: 60_000, limit: 2, remaining: 0, resetMs: 58_400 },
      ],
      refusedBy: { name: "minute", windowMs: 60_000, limit: 2, remaining: 0, resetMs: 58_400 },
      retryAfterMs: 58_400,
      entry: null,
    });
  });

  test("times between milliseconds are waited for in full", async () => {
    const bucket = open({ second: 1 });
    await bucket.take(0.7);
    const { retryAfterMs } = await bucket.take(500.1);
    expect(retryAfterMs).toBe(501);
    expect((await bucket.take(500.1 + retryAfterMs)).admitted).toBe(true);
  });

  test("what is given back after its windows takes nothing from others", async () => {
    const bucket = open({ second: 1 });
    const { entry } = await bucket.take(0);
    await bucket.take(1_001);
    await bucket.release(1_002, entry ?? 0);
    expect((await bucket.peek(1_003)).admitted).toBe(false);
  });

  test("a look takes nothing", async () => {
    const bucket = open({ minute: 1 });
    expect(await bucket.peek(0)).toMatchObject({ admitted: true, entry: null });
    expect((await bucket.take(1)).admitted).toBe(true);
    expect(await bucket.peek(2)).toEqual(await bucket.take(2));
  });
}
