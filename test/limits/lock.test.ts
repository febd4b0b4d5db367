import { expect, test } from "vitest";
import { createLock } from "../../src/limits/lock.ts";
import { createSharedCells } from "../../src/workers/shared-cells.ts";

test("one that nobody leaves keeps others waiting for a while, and then nobody any more", () => {
  const cells = createSharedCells(new Map());
  createLock(cells, "calls.lock").enter();
  const other = createLock(cells, "calls.lock", 10);
  const startedMs = performance.now();
  expect(other.enter).toThrow("calls.lock is held by a thread that is gone");
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(90);
  const againMs = performance.now();
  expect(other.enter).toThrow("calls.lock");
  expect(performance.now() - againMs).toBeLessThan(50);
});

test("one that was left late lets everybody in again", () => {
  const cells = createSharedCells(new Map());
  const first = createLock(cells, "calls.lock");
  first.enter();
  const other = createLock(cells, "calls.lock", 1);
  expect(other.enter).toThrow();
  first.leave();
  other.enter();
  other.leave();
  first.enter();
  first.leave();
});
