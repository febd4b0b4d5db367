/** What holds for amounts wherever they are counted. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AmountLimiter, LimitEntry } from "../../src/core/ports.ts";
import { expectEqual, LATENESS, NO_SHRINKING } from "./reference-windows.ts";

/** The clock is held by the test. */
export interface HeldAmounts {
  readonly amounts: AmountLimiter;
  readonly clock: { nowMs: number };
}

interface Taken {
  readonly atMs: number;
  readonly entry: LimitEntry;
  amount: number;
}

const MINUTE_MS = 60_000;

const limits = fc.integer({ min: 400, max: 20_000 });
const calls = fc.array(
  fc.record({
    delayMs: fc.integer({ min: 0, max: 4_000 }),
    amount: fc.integer({ min: 1, max: 400 }),
    settles: fc.integer({ min: 0, max: 8 }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { minLength: 400, maxLength: 400, size: "max" },
);

interface Step {
  readonly delayMs: number;
  readonly amount: number;
  /** Which call is settled then, counted from the newest. */
  readonly settles: number;
  /** How much of it was used. */
  readonly part: number;
}

async function walkAndSettle(
  { amounts, clock }: HeldAmounts,
  limit: number,
  steps: readonly Step[],
): Promise<void> {
  const all: Taken[] = [];
  const room = (lengthMs: number) => limit - sumSince(all, clock.nowMs - lengthMs);
  const take = async (amount: number) => {
    const { admitted, entry, retryAfterMs } = await amounts.take("a", limit, amount);
    expectEqual(room(MINUTE_MS * (admitted ? 1 : 1 + LATENESS)) >= amount, admitted);
    expectEqual(retryAfterMs > 0, !admitted);
    if (entry !== null) all.push({ atMs: clock.nowMs, entry, amount });
  };
  for (const { delayMs, amount, settles, part } of steps) {
    clock.nowMs += delayMs;
    await take(amount);
    const ended = all.at(-1 - settles);
    if (ended === undefined) continue;
    const used = Math.floor(ended.amount * part);
    await amounts.settle("a", ended.entry, ended.amount, used);
    ended.amount = used;
  }
}

function sumSince(taken: readonly Taken[], goneMs: number): number {
  return taken.reduce((sum, { atMs, amount }) => (atMs > goneMs ? sum + amount : sum), 0);
}

export function testAmounts(open: () => HeldAmounts, runs: number): void {
  describe("over a sliding minute", () => {
    test("never more than the limit is taken, and what is settled is free again", {
      timeout: 60_000,
    }, () => {
      const property = fc.asyncProperty(limits, calls, (limit, steps) =>
        walkAndSettle(open(), limit, steps),
      );
      return fc.assert(property, { numRuns: runs, ...NO_SHRINKING });
    });

    test("a refusal says how long until the whole amount has room", async () => {
      const { amounts, clock } = open();
      for (const amount of [300, 200, 500]) {
        await amounts.take("a", 1_000, amount);
        clock.nowMs += 10_000;
      }
      expect(await amounts.take("a", 1_000, 300)).toMatchObject({
        admitted: false,
        retryAfterMs: 30_000,
        windows: [{ name: "minute", limit: 1_000, remaining: 0, resetMs: 30_000 }],
      });
      const { retryAfterMs } = await amounts.take("a", 1_000, 301);
      expect(retryAfterMs).toBe(40_000);
      clock.nowMs += retryAfterMs - 1;
      expect((await amounts.take("a", 1_000, 501)).admitted).toBe(false);
      clock.nowMs += 1;
      expect((await amounts.take("a", 1_000, 500)).admitted).toBe(true);
    });

    test("what is above the limit never has room, and takes nothing", async () => {
      const { amounts } = open();
      const { admitted, retryAfterMs } = await amounts.take("a", 100, 101);
      expect([admitted, retryAfterMs]).toEqual([false, Number.POSITIVE_INFINITY]);
      expect((await amounts.take("a", 100, 100)).admitted).toBe(true);
    });

    test("a look takes nothing, and sees what was settled", async () => {
      const { amounts } = open();
      const left = async () => (await amounts.peek("a", 100)).windows[0]?.remaining;
      expect(await left()).toBe(100);
      const { entry } = await amounts.take("a", 100, 60);
      expect([await left(), await left()]).toEqual([40, 40]);
      await amounts.settle("a", entry ?? 0, 60, 25);
      expect(await left()).toBe(75);
      expect((await amounts.peek("a", 0)).windows).toEqual([]);
    });

    test("without a limit everything is admitted", async () => {
      const { amounts } = open();
      const all = await Promise.all(
        Array.from({ length: 100 }, () => amounts.take("a", 0, 1_000_000)),
      );
      expect(all.every(({ admitted, windows }) => admitted && windows.length === 0)).toBe(true);
    });

    test("buckets do not share, and using more than was taken changes nothing", async () => {
      const { amounts } = open();
      const { entry } = await amounts.take("a", 100, 60);
      await amounts.settle("a", entry ?? 0, 60, 90);
      expect((await amounts.take("b", 100, 100)).admitted).toBe(true);
      expect((await amounts.take("a", 100, 40)).admitted).toBe(true);
      expect((await amounts.take("a", 100, 1)).admitted).toBe(false);
    });
  });
}
