import { describe, expect, test } from "vitest";
import type { ConcurrencyLimiter, Lease, OpenCallLimiter } from "../../src/core/ports.ts";
import {
  createConcurrencyLimiter,
  createOpenCallLimiter,
  createSemaphore,
} from "../../src/limits/concurrency.ts";
import { createSharedLeases } from "../../src/limits/shared/leases.ts";
import { createVirtualClock } from "../core/virtual-clock.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { startRedis } from "../support/redis.ts";
import { openSwitchedStore } from "../support/switched-store.ts";

interface Limiters {
  limiter(limit: number): ConcurrencyLimiter;
  openCalls(): OpenCallLimiter;
}

/** Gives a lease back, if it is one. */
function leave(lease: Lease): void {
  if (lease.entered) lease.leave();
}

let redis: ReturnType<typeof startRedis> | undefined;
let installations = 0;

async function overStore(isAway: boolean): Promise<Limiters> {
  redis ??= startRedis().then(closeAfterFile);
  const { port } = await redis;
  installations += 1;
  const store = await openSwitchedStore({ port, prefix: `parley:${installations}:` });
  if (isAway) store.goAway();
  const leases = createSharedLeases({ store, copyId: "copy", clock: createVirtualClock() });
  return {
    limiter: (limit) => leases.limiter("streams", limit),
    openCalls: () => leases.openCalls("calls"),
  };
}

describe("open things counted in memory", () => {
  everyLimiter(async () => ({
    limiter: createConcurrencyLimiter,
    openCalls: createOpenCallLimiter,
  }));
});

describe("open things counted in the store", { tags: "redis" }, () => {
  everyLimiter(() => overStore(false));
});

describe("open things of a copy whose store is away", { tags: "redis" }, () => {
  everyLimiter(() => overStore(true));
});

function everyLimiter(start: () => Promise<Limiters>): void {
  const withLimit = async (limit: number) => {
    const answers = (await start()).limiter(limit);
    return { ...answers, enters: async (name: string) => (await answers.enter(name)).entered };
  };

  test("are as many at once as the limit allows, in each bucket", async () => {
    const { enters, count } = await withLimit(2);
    expect(await enters("a")).toBe(true);
    expect(await enters("a")).toBe(true);
    expect(await enters("a")).toBe(false);
    expect(await enters("b")).toBe(true);
    expect(await count("a")).toEqual({ open: 2 });
  });

  test("make room when they are given back", async () => {
    const { enter, enters, count } = await withLimit(1);
    leave(await enter("a"));
    await expect.poll(() => count("a")).toEqual({ open: 0 });
    expect(await enters("a")).toBe(true);
  });

  test("given back twice are given back once", async () => {
    const { enter, enters, count } = await withLimit(2);
    const lease = await enter("a");
    await enters("a");
    leave(lease);
    leave(lease);
    await expect.poll(() => count("a")).toEqual({ open: 1 });
  });

  test("are not ended by a late second leave of what had their place", async () => {
    const { enter, enters, count } = await withLimit(1);
    const lease = await enter("a");
    leave(lease);
    await expect.poll(() => count("a")).toEqual({ open: 0 });
    await enters("a");
    leave(lease);
    expect(await enters("a")).toBe(false);
  });

  test("are counted and never refused without a limit", async () => {
    const { enters, count } = await withLimit(0);
    const entered = await Promise.all(Array.from({ length: 1_000 }, () => enters("a")));
    expect(entered).not.toContain(false);
    expect(await count("a")).toEqual({ open: 1_000 });
  });

  test("that were refused leave nothing to give back", async () => {
    const { enter, enters, count } = await withLimit(1);
    const lease = await enter("a");
    await enters("a");
    leave(lease);
    await expect.poll(() => count("a")).toEqual({ open: 0 });
  });

  test("have the limit that comes with each call", async () => {
    const calls = (await start()).openCalls();
    const enters = async (limit: number, holder = "t") =>
      (await calls.enter(holder, limit)).entered;
    expect(await enters(2)).toBe(true);
    expect(await enters(2)).toBe(true);
    expect(await enters(2)).toBe(false);
    expect(await enters(2, "other")).toBe(true);
    expect(await enters(0)).toBe(true);
    expect(await enters(3)).toBe(false);
    expect(await enters(4)).toBe(true);
  });
}

test("a semaphore takes up to its bound, all of an amount or nothing", () => {
  const bytes = createSemaphore(10);
  expect(bytes.take(8)).toEqual({ taken: true });
  expect(bytes.take(3)).toEqual({ taken: false });
  expect(bytes.take(2)).toEqual({ taken: true });
  bytes.give(8);
  expect(bytes.take(8)).toEqual({ taken: true });
});
