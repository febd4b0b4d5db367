import type { Clock } from "../core/ports.ts";
import {
  type CallCountStore,
  type CallCounts,
  type HourOfCounts,
  shownCounts,
  sumOfCounts,
} from "../core/reports/call-counts.ts";
import { type FirstTokenTimes, timesIn } from "../core/reports/first-tokens.ts";
import { createHourlyCounts, type HourlyCounts } from "./hourly-counts.ts";

const HOUR_MS = 3_600_000;
const HOURS = 24;
/** How long what was read of the others stands for the public state. */
const KEPT_MS = 10_000;
/** A database that takes longer is told nothing of: the public state has what was read before. */
const MAX_WAIT_MS = 500;

export interface LastDay {
  /** Oldest first; `at` is the beginning of the hour. */
  readonly hours: readonly {
    readonly at: number;
    readonly answered: number;
    readonly failed: number;
    readonly refused: number;
  }[];
  readonly firstToken: FirstTokenTimes | null;
}

/** Counts of all instances: those in the database, and what this one has not written yet. */
export interface CountBook extends CallCounts, Pick<HourlyCounts, "call" | "decision"> {
  /** Adds what waits to the database; what it does not take is kept. */
  write(): Promise<void>;
  /** For the public state: never waits for long, and never rejects. */
  lastDay(): Promise<LastDay>;
}

export function createCountBook(store: CallCountStore, clock: Clock): CountBook {
  const own = createHourlyCounts(clock);
  let writing: Promise<void> | null = null;
  let known: readonly HourOfCounts[] = [];
  let knownAtMs = Number.NEGATIVE_INFINITY;

  const write = (): Promise<void> => {
    writing ??= writeOnce().finally(() => {
      writing = null;
    });
    return writing;
  };
  const writeOnce = async (): Promise<void> => {
    const hours = own.unwritten();
    if (hours.length === 0) return;
    // a commit whose answer was lost is repeated: some calls are counted twice then
    await store.add(hours);
    own.take(hours);
    knownAtMs = Number.NEGATIVE_INFINITY;
  };
  const between = async (fromHour: number, toHour: number): Promise<readonly HourOfCounts[]> => {
    // what is being written would be counted twice, or not at all
    await writing?.catch(() => undefined);
    const stored = await store.between(fromHour, toHour);
    return [...stored, ...unwritten(fromHour, toHour)];
  };
  const unwritten = (fromHour: number, toHour: number) =>
    own.unwritten().filter(({ hour }) => hour >= fromHour && hour < toHour);
  let reading: Promise<void> | null = null;
  const readOnce = async (fromHour: number, toHour: number): Promise<void> => {
    await writing?.catch(() => undefined);
    known = await store.between(fromHour, toHour);
    knownAtMs = clock.monotonicMs();
  };
  const readAgain = (fromHour: number, toHour: number): Promise<void> => {
    reading ??= readOnce(fromHour, toHour)
      .catch(() => undefined)
      .finally(() => {
        reading = null;
      });
    return reading;
  };

  return {
    call: own.call,
    decision: own.decision,
    write,
    between,
    async lastDay() {
      const toHour = Math.floor(clock.wallMs() / HOUR_MS) + 1;
      const fromHour = toHour - HOURS;
      if (clock.monotonicMs() - knownAtMs >= KEPT_MS) {
        await withinTime(readAgain(fromHour, toHour));
      }
      return lastDayOf([...known, ...unwritten(fromHour, toHour)], fromHour);
    },
  };
}

function lastDayOf(counted: readonly HourOfCounts[], fromHour: number): LastDay {
  const hours = Array.from({ length: HOURS }, (_, index) => fromHour + index);
  const shown = hours.map((hour) => {
    const { answered, failed, refused } = shownCounts(
      sumOfCounts(counted.filter((one) => one.hour === hour)),
    );
    const all = Object.values(refused).reduce((sum, one) => sum + one, 0);
    return { at: hour * HOUR_MS, answered, failed, refused: all };
  });
  const ofDay = counted.filter(({ hour }) => hour >= fromHour);
  return { hours: shown, firstToken: timesIn(shownCounts(sumOfCounts(ofDay)).bins) };
}

function withinTime(work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, MAX_WAIT_MS).unref();
    void work.then(() => {
      clearTimeout(late);
      resolve();
    });
  });
}
