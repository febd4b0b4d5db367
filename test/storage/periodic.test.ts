import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runPeriodically } from "../../src/storage/periodic.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("work runs again and again, one run at a time, until it is stopped", async () => {
  let running = 0;
  let most = 0;
  let runs = 0;
  const work = async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 150));
    running--;
    runs++;
  };
  const end = runPeriodically(work, 100, () => undefined);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(most).toBe(1);
  expect(runs).toBeGreaterThan(3);
  const ended = end();
  await vi.advanceTimersByTimeAsync(150);
  await ended;
  expect(running).toBe(0);
  const before = runs;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(runs).toBe(before);
});

test("an error is reported, and the next run comes", async () => {
  const errors: string[] = [];
  const work = async () => {
    throw new Error("away");
  };
  const end = runPeriodically(work, 100, (error) => errors.push(error.message));
  await vi.advanceTimersByTimeAsync(250);
  await end();
  expect(errors).toEqual(["away", "away"]);
});
