import { expect, test } from "vitest";
import type { Lease } from "../../src/core/ports.ts";
import { createConcurrencyLimiter, createSemaphore } from "../../src/limits/concurrency.ts";

/** Gives a lease back, if it is one. */
function leave(lease: Lease): void {
  if (lease.entered) lease.leave();
}

test("as many answers are open at once as the limit allows, in each bucket", () => {
  const answers = createConcurrencyLimiter(2);
  expect(answers.enter("a").entered).toBe(true);
  expect(answers.enter("a").entered).toBe(true);
  expect(answers.enter("a").entered).toBe(false);
  expect(answers.enter("b").entered).toBe(true);
  expect(answers.count("a")).toEqual({ open: 2 });
});

test("a lease given back is free again", () => {
  const answers = createConcurrencyLimiter(1);
  leave(answers.enter("a"));
  expect(answers.count("a")).toEqual({ open: 0 });
  expect(answers.enter("a").entered).toBe(true);
});

test("a lease given back twice is given back once", () => {
  const answers = createConcurrencyLimiter(2);
  const lease = answers.enter("a");
  answers.enter("a");
  leave(lease);
  leave(lease);
  expect(answers.count("a")).toEqual({ open: 1 });
});

test("a late second leave does not end the answer that took the place", () => {
  const answers = createConcurrencyLimiter(1);
  const lease = answers.enter("a");
  leave(lease);
  answers.enter("a");
  leave(lease);
  expect(answers.enter("a").entered).toBe(false);
});

test("without a limit answers are counted and never refused", () => {
  const answers = createConcurrencyLimiter(0);
  for (let index = 0; index < 1_000; index += 1) expect(answers.enter("a").entered).toBe(true);
  expect(answers.count("a")).toEqual({ open: 1_000 });
});

test("a refused answer leaves nothing to give back", () => {
  const answers = createConcurrencyLimiter(1);
  const lease = answers.enter("a");
  answers.enter("a");
  leave(lease);
  expect(answers.count("a")).toEqual({ open: 0 });
});

test("a semaphore takes up to its bound, all of an amount or nothing", () => {
  const bytes = createSemaphore(10);
  expect(bytes.take(8)).toEqual({ taken: true });
  expect(bytes.take(3)).toEqual({ taken: false });
  expect(bytes.take(2)).toEqual({ taken: true });
  bytes.give(8);
  expect(bytes.take(8)).toEqual({ taken: true });
});
