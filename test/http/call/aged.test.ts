import { describe, expect, test } from "vitest";
import { createAged } from "../../../src/http/call/aged.ts";
import { createHeldClock } from "../../support/parley.ts";

/** What is read are the numbers of the reads; each read waits until it is let go. */
function start() {
  const clock = createHeldClock();
  const waiting: { end(): void; fail(): void }[] = [];
  let reads = 0;
  const read = () => {
    reads += 1;
    const { promise, resolve, reject } = Promise.withResolvers<{ read: number }>();
    const value = { read: reads };
    waiting.push({ end: () => resolve(value), fail: () => reject(new Error("away")) });
    return promise;
  };
  const aged = createAged(read, clock, 500);
  return { clock, aged, waiting, reads: () => reads };
}

describe("a value that ages", () => {
  test("is read once for all who ask, and again after its time", async () => {
    const { clock, aged, waiting, reads } = start();
    const asked = [aged.now(), aged.now()];
    waiting[0]?.end();
    expect(await Promise.all(asked)).toEqual([{ read: 1 }, { read: 1 }]);
    clock.forward(499);
    expect(aged.now()).toEqual({ read: 1 });
    expect(reads()).toBe(1);
    clock.forward(1);
    const later = aged.now();
    waiting[1]?.end();
    expect(await later).toEqual({ read: 2 });
  });

  test("is as old as the beginning of its read", async () => {
    const { clock, aged, waiting, reads } = start();
    const slow = aged.now();
    clock.forward(500);
    waiting[0]?.end();
    await slow;
    void aged.now();
    expect(reads()).toBe(2);
  });

  test("is not what was being read when it changed", async () => {
    const { aged, waiting } = start();
    const old = aged.now();
    aged.forget();
    const fresh = aged.now();
    waiting[1]?.end();
    expect(await fresh).toEqual({ read: 2 });
    waiting[0]?.end();
    expect(await old).toEqual({ read: 1 });
    expect(aged.now()).toEqual({ read: 2 });
  });

  test("is asked for again after a failure", async () => {
    const { aged, waiting, reads } = start();
    const failed = aged.now();
    waiting[0]?.fail();
    await expect(failed).rejects.toThrow("away");
    void aged.now();
    expect(reads()).toBe(2);
  });
});
