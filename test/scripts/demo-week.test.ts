import { expect, test } from "vitest";
import { callsOf } from "../../scripts/demo/week/calls.ts";
import { createChance } from "../../scripts/demo/week/chance.ts";
import { hoursBefore } from "../../scripts/demo/week/hours.ts";

const HOUR_MS = 3_600_000;
const WEEK_MS = 168 * HOUR_MS;
const CALLS = 6_000;
/** Midday of a Monday. */
const now = Date.UTC(2026, 10, 30, 12, 34, 56);

function weekBefore(nowMs: number) {
  const chance = createChance(1);
  return hoursBefore(nowMs, CALLS).flatMap((hour) => callsOf(hour, chance));
}

test("the same week is made at every start", () => {
  expect(weekBefore(now)).toEqual(weekBefore(now));
});

test.each([0, 1, 12 * HOUR_MS, 40 * HOUR_MS])(
  "a week that ends %i ms later is whole",
  (laterMs) => {
    const calls = weekBefore(now + laterMs);
    expect(calls.length).toBeGreaterThan(0.98 * CALLS);
    expect(calls.length).toBeLessThan(1.02 * CALLS);
    for (const { at } of calls) {
      expect(at).toBeGreaterThanOrEqual(now + laterMs - WEEK_MS);
      expect(at).toBeLessThan(now + laterMs);
    }
  },
);

test("days have more calls than nights, and working days more than weekends", () => {
  const calls = weekBefore(now).map(({ at }) => new Date(at));
  const within = (isCounted: (date: Date) => boolean) => calls.filter(isCounted).length;
  const days = within((date) => date.getUTCHours() >= 8 && date.getUTCHours() < 18);
  expect(days).toBeGreaterThan(1.5 * (calls.length - days));
  const weekends = within((date) => date.getUTCDay() % 6 === 0);
  expect(weekends / 2).toBeLessThan((calls.length - weekends) / 5 / 1.5);
});

test("some calls fail, are refused and left", () => {
  const outcomes = new Set(weekBefore(now).map(({ outcome }) => outcome));
  expect([...outcomes].sort()).toEqual([
    "canceled",
    "completed",
    "failed",
    "interrupted",
    "refused",
  ]);
});
