/** What windows are held against: it keeps the time of every admitted call and counts them one by one. */
import fc from "fast-check";
import { expect } from "vitest";
import type { WindowName, WindowState } from "../../src/core/ports.ts";
import type { Limits } from "../../src/limits/decisions.ts";

export const LENGTHS_MS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };
export const NAMES: readonly WindowName[] = ["second", "minute", "hour", "day"];
export const NO_LIMITS: Limits = { second: 0, minute: 0, hour: 0, day: 0 };
/** How much longer a window above a limit of 64 may refuse, as a part of its length. */
export const LATENESS = 1 / 64;

/** A thousand delays do not shrink to anything telling in minutes; the seed repeats the failure. */
export const NO_SHRINKING = { endOnFailure: true };

export interface Reference {
  /** In order. */
  readonly admittedMs: number[];
  count(name: WindowName, nowMs: number, stretch: number): number;
  /** `stretch`: as if windows were so many times as long. */
  admits(nowMs: number, stretch?: number): boolean;
}

export function createReference(limits: Limits, admittedMs: number[] = []): Reference {
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

/** From bursts within one millisecond to a day without calls. */
export const stepMs = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 3 }) },
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 2_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 120_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 4_000_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(999, 1_000, 59_999, 60_000, 3_600_000, 86_400_000) },
);
export const steps = fc.array(stepMs, { minLength: 1_000, maxLength: 1_000, size: "max" });

/** At least one window. */
export function limitsUpTo(highest: number): fc.Arbitrary<Limits> {
  const limit = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: highest }));
  return fc
    .record({ second: limit, minute: limit, hour: limit, day: limit })
    .filter((limits) => NAMES.some((name) => limits[name] > 0));
}

/** `expect` builds an object a call, too slow for a million comparisons. */
export function expectEqual<T>(actual: T, expected: T): void {
  if (actual !== expected) expect(actual).toBe(expected);
}

/** The window as a client sees it. */
export function expectExact(
  { name, limit, remaining, resetMs }: WindowState,
  reference: Reference,
  nowMs: number,
): void {
  const calls = reference.count(name, nowMs, 1);
  const oldestMs = reference.admittedMs.at(-calls) ?? 0;
  expectEqual(remaining, limit - calls);
  expectEqual(resetMs, calls === 0 ? 0 : oldestMs + LENGTHS_MS[name] - nowMs);
}

export function expectNoSpanOver(limits: Limits, admittedMs: readonly number[]): void {
  for (const name of NAMES.filter((one) => limits[one] > 0)) {
    for (let index = limits[name]; index < admittedMs.length; index += 1) {
      const spanMs = (admittedMs[index] ?? 0) - (admittedMs[index - limits[name]] ?? 0);
      expectEqual(spanMs >= LENGTHS_MS[name], true);
    }
  }
}
