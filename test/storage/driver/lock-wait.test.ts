import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLockWait } from "../../../src/storage/driver/lock-wait.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What works a lock allows when it is free from that time on, and how long after that each got through. */
async function lateMs(freeAtMs: number, works = 1): Promise<readonly number[]> {
  const startedMs = performance.now();
  const { run } = createLockWait(1_200);
  const ends = Array.from({ length: works }, () =>
    run(() => {
      const nowMs = performance.now() - startedMs;
      // as node:sqlite says it
      if (nowMs < freeAtMs) throw Object.assign(new Error("database is locked"), { errcode: 5 });
      return nowMs - freeAtMs;
    }),
  );
  await vi.advanceTimersByTimeAsync(freeAtMs + 20);
  return await Promise.all(ends);
}

test("a lock that another copy holds for a moment costs little more than that moment", async () => {
  for (const freeAtMs of [0.5, 1.5, 3, 8]) {
    for (const late of await lateMs(freeAtMs, 3)) expect(late).toBeLessThanOrEqual(2);
  }
});

test("a lock that is held for long is tried every ten milliseconds at most", async () => {
  for (const freeAtMs of [100, 900]) {
    const [late = Number.NaN] = await lateMs(freeAtMs);
    expect(late).toBeLessThanOrEqual(10);
  }
  const { run } = createLockWait(1_200);
  let tries = 0;
  const refused = run(() => {
    tries += 1;
    throw Object.assign(new Error("database is locked"), { errcode: 5 });
  }).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(1_300);
  expect(await refused).toBeInstanceOf(Error);
  expect(tries).toBeLessThan(140);
});
