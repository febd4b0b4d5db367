import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startSweeper } from "../../../src/storage/conversations/sweeper.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("sweeps again and again, one at a time, until it is ended", async () => {
  let running = 0;
  let most = 0;
  let sweeps = 0;
  const sweep = async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 150));
    running--;
    sweeps++;
  };
  const end = startSweeper(sweep, 100, () => undefined);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(most).toBe(1);
  expect(sweeps).toBeGreaterThan(3);
  const ended = end();
  await vi.advanceTimersByTimeAsync(150);
  await ended;
  expect(running).toBe(0);
  const before = sweeps;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sweeps).toBe(before);
});

test("a sweep that fails is told, and the next one comes", async () => {
  const errors: string[] = [];
  const sweep = async () => {
    throw new Error("away");
  };
  const end = startSweeper(sweep, 100, (error) => errors.push(error.message));
  await vi.advanceTimersByTimeAsync(250);
  await end();
  expect(errors).toEqual(["away", "away"]);
});
