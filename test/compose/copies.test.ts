import { beforeEach, expect, test, vi } from "vitest";
import { createCopiesWarning } from "../../src/compose/copies.ts";

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

test("several instances are told once, when they have been alive for longer than a restart takes", () => {
  const told: number[] = [];
  const heard = createCopiesWarning((instances) => told.push(instances));
  heard(2);
  vi.advanceTimersByTime(59_000);
  heard(1);
  vi.advanceTimersByTime(120_000);
  expect(told).toEqual([]);
  heard(2);
  vi.advanceTimersByTime(30_000);
  heard(3);
  vi.advanceTimersByTime(30_000);
  expect(told).toEqual([3]);
  heard(1);
  heard(2);
  vi.advanceTimersByTime(120_000);
  expect(told).toEqual([3]);
});
