import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { WindowName, WindowState } from "../../src/core/ports.ts";
import { type Limits, windowsOf } from "../../src/limits/decisions.ts";
import { MemoryLogs } from "../../src/limits/memory-logs.ts";
import { createSlidingWindows, MAX_LOG_ENTRIES } from "../../src/limits/windows.ts";

const LENGTHS_MS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const NAMES: readonly WindowName[] = ["second", "minute", "hour", "day"];
const NO_LIMITS: Limits = { second: 0, minute: 0, hour: 0, day: 0 };
const LATENESS = 1 / 64;

/** A thousand delays do not shrink to anything telling in minutes; the seed repeats the failure. */
const NO_SHRINKING = { endOnFailure: true };

function createBucket(limits: Partial<Limits>) {
  const windows = createSlidingWindows(windowsOf({ ...NO_LIMITS, ...limits }));
  const log = new MemoryLogs({ slots: 1, maxOlderBytes: 0, maxLogEntries: MAX_LOG_ENTRIES });
  log.open(1);
  return {
    log,
    take: (nowMs: number) => windows.take(log, nowMs),
    peek: (nowMs: number) => windows.peek(log, nowMs),
  };
}

/** Keeps the time of every admitted call and counts them one by one. */
function createReference(limits: Limits) {
  const admittedMs: number[] = [];
  const count = (name: WindowName, nowMs: number, stretch: number) => {
    const goneMs = nowMs - LENGTHS_MS[name] * stretch;
    let calls = 0;
    while (calls < admittedMs.length && (admittedMs.at(-1 - calls) ?? 0) > goneMs) calls += 1;
    return calls;
  };
  const admits = (nowMs: number, stretch = 1) =>
    NAMES.every((name) => limits[name] === 0 || count(name, nowMs, stretch) < limits[name]);
  return { admittedMs, count, admits };
}

// Steps from bursts within one millisecond to a day without calls.
const stepMs = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 3 }) },
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 2_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 120_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 4_000_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(999, 1_000, 59_999, 60_000, 3_600_000, 86_400_000) },
);
const steps = fc.array(stepMs, { minLength: 1_000, maxLength: 1_000, size: "max" });

function limitsUpTo(highest: number) {
  const limit = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: highest }));
  return fc
    .record({ second: limit, minute: limit, hour: limit, day: limit })
    .filter((limits) => NAMES.some((name) => limits[name] > 0));
}

describe("sliding windows against a reference that keeps every call", () => {
  test("up to a limit of 64 they agree on every call and every number", { timeout: 30_000 }, () => {
    const property = fc.property(limitsUpTo(64), steps, (limits, delays) => {
      const bucket = createBucket(limits);
      const reference = createReference(limits);
      let nowMs = 0;
      for (const delayMs of delays) {
        nowMs += delayMs;
        const expected = reference.admits(nowMs);
        const decision = bucket.take(nowMs);
        if (expected) reference.admittedMs.push(nowMs);
        expectEqual(decision.admitted, expected);
        for (const state of decision.windows) expectExact(state, reference, nowMs);
      }
    });
    fc.assert(property, { numRuns: 100, ...NO_SHRINKING });
  });

  test("above it they never admit more, and refuse at most 1/64 of a window longer", {
    timeout: 60_000,
  }, () => {
    const property = fc.property(limitsUpTo(600), steps, (limits, delays) => {
      const bucket = createBucket(limits);
      const reference = createReference(limits);
      let nowMs = 0;
      for (const delayMs of delays) {
        nowMs += delayMs;
        const { admitted } = bucket.take(nowMs);
        if (admitted) expectEqual(reference.admits(nowMs), true);
        else expectEqual(reference.admits(nowMs, 1 + LATENESS), false);
        if (admitted) reference.admittedMs.push(nowMs);
        expectEqual(bucket.log.length() <= MAX_LOG_ENTRIES, true);
      }
      expectNoSpanOver(limits, reference.admittedMs);
    });
    fc.assert(property, { numRuns: 100, ...NO_SHRINKING });
  });

  test("the same holds for long logs that are tidied again and again", { timeout: 60_000 }, () => {
    const limits = fc.record({
      second: fc.constantFrom(0, 30, 100),
      minute: fc.integer({ min: 65, max: 2_000 }),
      hour: fc.constantFrom(0, 1_500, 20_000),
      day: fc.constant(0),
    });
    const dense = fc.array(fc.integer({ min: 1, max: 120 }), {
      minLength: 3_000,
      maxLength: 3_000,
      size: "max",
    });
    const property = fc.property(limits, dense, (limits, delays) => {
      const bucket = createBucket(limits);
      const reference = createReference(limits);
      let nowMs = 0;
      for (const delayMs of delays) {
        nowMs += delayMs;
        const { admitted, retryAfterMs } = bucket.take(nowMs);
        expectEqual(reference.admits(nowMs, admitted ? 1 : 1 + LATENESS), admitted);
        if (admitted) reference.admittedMs.push(nowMs);
        else expectEqual(bucket.peek(nowMs + retryAfterMs).admitted, true);
      }
    });
    fc.assert(property, { numRuns: 30, ...NO_SHRINKING });
  });

  test("a window of up to 64 stays exact beside larger ones", { timeout: 30_000 }, () => {
    const property = fc.property(fc.integer({ min: 1, max: 64 }), steps, (minute, delays) => {
      const limits = { second: 500, minute, hour: 100_000, day: 100_000 };
      const bucket = createBucket(limits);
      const reference = createReference(limits);
      let nowMs = 0;
      for (const delayMs of delays) {
        nowMs += delayMs;
        const expected = reference.admits(nowMs);
        expectEqual(bucket.take(nowMs).admitted, expected);
        if (expected) reference.admittedMs.push(nowMs);
      }
    });
    fc.assert(property, { numRuns: 30, ...NO_SHRINKING });
  });

  test("waiting as long as a refusal says is enough, and a millisecond less is not", () => {
    const property = fc.property(limitsUpTo(200), steps, (limits, delays) => {
      const bucket = createBucket(limits);
      let nowMs = 0;
      for (const delayMs of delays.slice(0, 300)) {
        nowMs += delayMs;
        const { admitted, retryAfterMs, refusedBy } = bucket.take(nowMs);
        expectEqual(admitted, retryAfterMs === 0);
        expectEqual(admitted, refusedBy === null);
        if (admitted) continue;
        expectEqual(bucket.peek(nowMs + retryAfterMs).admitted, true);
        expectEqual(bucket.peek(nowMs + retryAfterMs - 1).admitted, false);
      }
    });
    fc.assert(property, { numRuns: 100, ...NO_SHRINKING });
  });
});

describe("sliding windows", () => {
  test("500 calls at once with limit 50 admit exactly 50", () => {
    const bucket = createBucket({ minute: 50 });
    const admitted = Array.from({ length: 500 }, () => bucket.take(0).admitted).filter(Boolean);
    expect(admitted).toHaveLength(50);
  });

  test("a boundary between two windows admits no second budget", () => {
    const bucket = createBucket({ second: 100 });
    for (let index = 0; index < 100; index += 1) bucket.take(999);
    expect(bucket.take(1_000).admitted).toBe(false);
    expect(bucket.take(1_998).admitted).toBe(false);
    expect(bucket.take(1_999).admitted).toBe(true);
  });

  test("calls refused by the second do not eat the minute", () => {
    const bucket = createBucket({ second: 1, minute: 3 });
    const admittedMs = [];
    for (let nowMs = 0; nowMs < 3_000; nowMs += 100) {
      if (bucket.take(nowMs).admitted) admittedMs.push(nowMs);
    }
    expect(admittedMs).toEqual([0, 1_000, 2_000]);
  });

  test("a refusal names the window that refuses longest and how long", () => {
    const bucket = createBucket({ second: 1, minute: 2 });
    bucket.take(0);
    bucket.take(1_500);
    expect(bucket.take(1_600)).toEqual({
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

  test("times between milliseconds are waited for in full", () => {
    const bucket = createBucket({ second: 1 });
    bucket.take(0.7);
    const { retryAfterMs } = bucket.take(500.1);
    expect(retryAfterMs).toBe(501);
    expect(bucket.take(500.1 + retryAfterMs).admitted).toBe(true);
  });

  test("a clock that steps back lets nobody through early", () => {
    const bucket = createBucket({ second: 2 });
    bucket.take(5_000);
    bucket.take(4_000);
    expect(bucket.take(5_500).admitted).toBe(false);
    expect(bucket.take(6_000).admitted).toBe(true);
  });

  test("a log stays short however many calls are allowed", () => {
    const bucket = createBucket({ second: 1e6, minute: 1e6, hour: 1e6, day: 1e6 });
    let longest = 0;
    for (let step = 0; step < 50_000; step += 1) {
      expectEqual(bucket.take(step * 14.8).admitted, true);
      longest = Math.max(longest, bucket.log.length());
    }
    expect(longest).toBeLessThanOrEqual(MAX_LOG_ENTRIES);
    expect(bucket.log.length()).toBeGreaterThan(65);
  });

  test("a log is the shorter the fewer windows there are", () => {
    const longest = (limits: Partial<Limits>) => {
      const bucket = createBucket(limits);
      let entries = 0;
      for (let step = 0; step < 20_000; step += 1) {
        expectEqual(bucket.take(step * 14.8).admitted, true);
        entries = Math.max(entries, bucket.log.length());
      }
      return entries;
    };
    expect(longest({ hour: 1e6 })).toBeLessThan(100);
    expect(longest({ second: 1e6, minute: 1e6 })).toBeLessThan(200);
    expect(longest({ second: 1e6, minute: 1e6, hour: 1e6 })).toBeLessThan(300);
  });

  test("nothing limited means no windows", () => {
    expect(windowsOf(NO_LIMITS)).toEqual([]);
  });
});

/** `expect` builds an object a call, too slow for a million comparisons. */
function expectEqual<T>(actual: T, expected: T): void {
  if (actual !== expected) expect(actual).toBe(expected);
}

function expectExact(
  { name, limit, remaining, resetMs }: WindowState,
  reference: ReturnType<typeof createReference>,
  nowMs: number,
): void {
  const calls = reference.count(name, nowMs, 1);
  const oldestMs = reference.admittedMs.at(-calls) ?? 0;
  expectEqual(remaining, limit - calls);
  expectEqual(resetMs, calls === 0 ? 0 : oldestMs + LENGTHS_MS[name] - nowMs);
}

function expectNoSpanOver(limits: Limits, admittedMs: readonly number[]): void {
  for (const name of NAMES.filter((one) => limits[one] > 0)) {
    for (let index = limits[name]; index < admittedMs.length; index += 1) {
      const spanMs = (admittedMs[index] ?? 0) - (admittedMs[index - limits[name]] ?? 0);
      expectEqual(spanMs >= LENGTHS_MS[name], true);
    }
  }
}
