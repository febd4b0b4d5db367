import { describe, expect, test } from "vitest";
import type { Limits } from "../../src/limits/decisions.ts";
import { createMemoryLimiter, type MemoryLimiterOptions } from "../../src/limits/memory-limiter.ts";

const NO_LIMITS: Limits = { second: 0, minute: 0, hour: 0, day: 0 };

type Options = Omit<MemoryLimiterOptions, "limits" | "clock">;

function createLimiter(limits: Partial<Limits>, options: Options = {}) {
  const time = { nowMs: 0, wallMs: 0 };
  const clock = { monotonicMs: () => time.nowMs, wallMs: () => time.wallMs };
  const limiter = createMemoryLimiter({ limits: { ...NO_LIMITS, ...limits }, clock, ...options });
  return { limiter, time, admits: (bucket: string) => limiter.take(bucket).admitted };
}

describe("memory limiter", () => {
  test("500 takes at once with limit 50 admit exactly 50", () => {
    const { admits } = createLimiter({ day: 50 });
    const admitted = Array.from({ length: 500 }, () => admits("a")).filter(Boolean);
    expect(admitted).toHaveLength(50);
  });

  test("buckets have budgets of their own", () => {
    const { admits } = createLimiter({ day: 1 });
    expect([admits("a"), admits("b"), admits("a"), admits("b")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test("a hundred thousand addresses are told apart", () => {
    const { admits } = createLimiter({ day: 1 });
    const addresses = Array.from(
      { length: 100_000 },
      (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
    );
    expect(addresses.every(admits)).toBe(true);
    expect(addresses.some(admits)).toBe(false);
  });

  test("addresses keep all their calls while more and more come", () => {
    const { limiter, time } = createLimiter({ hour: 50 });
    const addresses = Array.from(
      { length: 3_000 },
      (_, index) => `10.0.${index >> 8}.${index & 255}`,
    );
    const early = addresses.slice(0, 700);
    const times: number[] = [];
    const callFrom = (those: readonly string[]) => {
      time.nowMs += 1_000;
      times.push(time.nowMs);
      for (const address of those) limiter.take(address);
    };
    for (let call = 0; call < 6; call += 1) callFrom(early);
    for (let call = 0; call < 6; call += 1) callFrom(addresses);
    for (const address of addresses) {
      const calls = early.includes(address) ? 12 : 6;
      const [hour] = limiter.peek(address).windows;
      expect(hour?.remaining, address).toBe(50 - calls);
      expect(hour?.resetMs, address).toBe(3_600_000 + (times.at(-calls) ?? 0) - time.nowMs);
    }
  });

  test("steps of the wall clock do not matter", () => {
    const { admits, time } = createLimiter({ hour: 1 });
    admits("a");
    time.wallMs += 100 * 86_400_000;
    expect(admits("a")).toBe(false);
    time.wallMs -= 200 * 86_400_000;
    time.nowMs += 3_600_000;
    expect(admits("a")).toBe(true);
  });

  test("peek tells what take would and takes nothing", () => {
    const { limiter } = createLimiter({ second: 1, minute: 3 });
    for (let index = 0; index < 5; index += 1) {
      expect(limiter.peek("a")).toMatchObject({ admitted: true, windows: [{ remaining: 1 }, {}] });
    }
    limiter.take("a");
    expect(limiter.peek("a")).toEqual(limiter.take("a"));
    expect(limiter.peek("a")).toMatchObject({ admitted: false, refusedBy: { name: "second" } });
  });

  test("without windows everything is admitted at once", () => {
    const { limiter } = createLimiter({});
    for (let index = 0; index < 100; index += 1) limiter.take("a");
    expect(limiter.take("a")).toEqual({
      admitted: true,
      windows: [],
      refusedBy: null,
      retryAfterMs: 0,
      entry: null,
    });
  });

  test("past the cap of buckets the one unused for longest is forgotten", () => {
    const { limiter, admits } = createLimiter({ day: 1 }, { maxBuckets: 3 });
    for (const bucket of ["a", "b", "c"]) limiter.take(bucket);
    expect(admits("a")).toBe(false);
    expect(admits("d")).toBe(true);
    expect(["a", "c", "d"].map((bucket) => limiter.peek(bucket).admitted)).toEqual([
      false,
      false,
      false,
    ]);
    expect(limiter.peek("b").admitted).toBe(true);
  });

  test("past the cap of memory for logs the ones unused for longest are forgotten", () => {
    const { limiter, time } = createLimiter({ day: 64 }, { maxOlderBytes: 10_000 });
    const buckets = Array.from({ length: 100 }, (_, index) => `bucket-${index}`);
    for (const bucket of buckets) {
      for (let calls = 0; calls < 10; calls += 1) {
        time.nowMs += 1;
        limiter.take(bucket);
      }
    }
    const counted = buckets.map((bucket) => 64 - (limiter.peek(bucket).windows[0]?.remaining ?? 0));
    const held = counted.filter((calls) => calls === 10).length;
    expect(held).toBeGreaterThan(10);
    expect(held).toBeLessThan(60);
    expect(counted.slice(-held).every((calls) => calls === 10)).toBe(true);
  });

  test("buckets come and go without being mixed up", () => {
    const { limiter, time } = createLimiter({ second: 2 }, { maxBuckets: 50 });
    const admitted = new Map<string, number[]>();
    for (let step = 0; step < 20_000; step += 1) {
      time.nowMs += step % 7 === 0 ? 150 : 1;
      const bucket = `bucket-${(step * 7919) % 31}`;
      const recent = (admitted.get(bucket) ?? []).filter((atMs) => atMs > time.nowMs - 1_000);
      expect(limiter.take(bucket).admitted).toBe(recent.length < 2);
      if (recent.length < 2) recent.push(time.nowMs);
      admitted.set(bucket, recent);
    }
  });

  test("a released call is as if it had never been counted", () => {
    const { limiter, time } = createLimiter({ second: 2, hour: 200 });
    const first = limiter.take("a");
    time.nowMs += 10;
    limiter.take("a");
    expect(limiter.take("a").admitted).toBe(false);
    limiter.release("a", first.entry ?? 0);
    const [second, hour] = limiter.peek("a").windows;
    expect([second?.remaining, hour?.remaining, second?.resetMs]).toEqual([1, 199, 1_000]);
    expect(limiter.take("a").admitted).toBe(true);
    expect(limiter.take("a").admitted).toBe(false);
  });

  test("what is released after its window, or of no bucket, changes nothing", () => {
    const { limiter, time } = createLimiter({ second: 1 });
    const { entry } = limiter.take("a");
    time.nowMs += 1_001;
    limiter.take("a");
    limiter.release("a", entry ?? 0);
    limiter.release("b", entry ?? 0);
    expect(limiter.peek("a").admitted).toBe(false);
    expect(limiter.take("a").entry).toBeNull();
  });

  test("releases among joined calls keep every count", () => {
    const { limiter, time } = createLimiter({ minute: 1_000, hour: 5_000 });
    const left = () => limiter.peek("a").windows[1]?.remaining ?? 0;
    const entries = Array.from({ length: 900 }, (_, step) => {
      time.nowMs += step % 5 === 0 ? 97 : 1;
      return limiter.take("a").entry ?? 0;
    });
    expect(left()).toBe(4_100);
    for (const entry of entries.filter((_, step) => step % 3 === 0)) limiter.release("a", entry);
    expect(left()).toBe(4_400);
  });
});
