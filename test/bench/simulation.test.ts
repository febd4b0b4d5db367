import { describe, expect, test } from "vitest";
import { createEvents } from "../../bench/scale/events.ts";
import { createMachine } from "../../bench/scale/machines.ts";
import { lineOf, readCopies, shareOf, simulateBench } from "../../bench/scale/measured.ts";

import { type Setup, simulate } from "../../bench/scale/simulate.ts";

/** Whole answers: a store of 400 µs a script carries 1,250 calls a second. */
const assumed = {
  copyUs: 2_000,
  scriptUs: 400,
  awaitedScripts: 2,
  otherScripts: 0,
  databaseUs: 1_000,
  commitUs: 1_000,
  databaseCores: 8,
  lockUs: 40,
  lockPauseUs: 10_000,
  networkUs: 250,
  upstreamUs: 100_000,
};
const usual: Setup = {
  copies: 20,
  database: "postgres",
  stores: 1,
  load: { callsPerSecond: 500 },
  seconds: 1,
  seed: 7,
};

describe("the simulation of copies", () => {
  test("is the same for the same seed, and another for another", () => {
    expect(simulate(assumed, usual)).toEqual(simulate(assumed, usual));
    expect(simulate(assumed, { ...usual, seed: 8 })).not.toEqual(simulate(assumed, usual));
  });

  test("answers what is asked, with the store as full as the scripts make it", () => {
    const found = simulate(assumed, usual);
    expect(found.callsPerSecond).toBeGreaterThan(400);
    expect(found.storeLoad).toBeCloseTo(0.4, 1);
    expect(found.aloneShare).toBe(0);
  });

  test("lets copies decide by themselves where the store is too full, and answers all the same", () => {
    const load = { callsPerSecond: 1_600 };
    const found = simulate(assumed, { ...usual, load });
    expect(found.aloneShare).toBeGreaterThan(0.1);
    expect(found.timesAway).toBeGreaterThan(0);
    expect(found.callsPerSecond).toBeGreaterThan(1_400);
    const spread = simulate(assumed, { ...usual, load, stores: 2 });
    expect(spread.aloneShare).toBe(0);
  });

  test("works on so many things at a time as its machine has cores", () => {
    const endsUs = (cores: number) => {
      const events = createEvents();
      const open = createMachine(events, cores);
      const ends: number[] = [];
      for (const worker of [open(), open()]) {
        for (const us of [10, 20]) worker.work(us)(() => ends.push(events.now()));
      }
      events.runUntil(1_000);
      return ends;
    };
    expect(endsUs(1)).toEqual([10, 20, 40, 60]);
    expect(endsUs(4)).toEqual([10, 10, 30, 30]);
  });

  test.for([
    ["sqlite", 1],
    ["sqlite", 2],
    ["postgres", 1],
    ["postgres", 2],
  ] as const)("finds what %s with %i was measured to carry, within 40 %%", ([database, copies]) => {
    const results = readCopies();
    const { cores } = results;
    const measured = lineOf(results, database, copies);
    const share = shareOf(measured, cores);
    const found = simulateBench(lineOf(results, database, 1), { copies, cores, share });
    expect(Math.abs(found.callsPerSecond / measured.callsPerSecond - 1)).toBeLessThan(0.4);
  });
});
