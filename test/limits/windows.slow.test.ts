import { describe, expect, test } from "vitest";
import { type Limits, windowsOf } from "../../src/limits/decisions.ts";
import { MemoryLogs } from "../../src/limits/memory-logs.ts";
import { createSlidingWindows, MAX_LOG_ENTRIES } from "../../src/limits/windows.ts";
import { expectEqual, NO_LIMITS } from "../support/reference-windows.ts";
import { testWindows } from "../support/windows-suite.ts";

function createBucket(limits: Partial<Limits>) {
  const windows = createSlidingWindows(windowsOf({ ...NO_LIMITS, ...limits }));
  const log = new MemoryLogs({ slots: 1, maxOlderBytes: 0, maxLogEntries: MAX_LOG_ENTRIES });
  log.open(1);
  return {
    log,
    take: (nowMs: number) => windows.take(log, nowMs),
    peek: (nowMs: number) => windows.peek(log, nowMs),
    release: (nowMs: number, entry: string | number) =>
      windows.release(log, nowMs, Number(entry), 1),
    maxEntries: MAX_LOG_ENTRIES,
    entries: () => ({ count: log.length() }),
  };
}

describe("windows in memory", () => {
  testWindows(createBucket, 1);

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
