import { setTimeout as sleep } from "node:timers/promises";
import type { StorageNotice } from "./driver.ts";
import { type StorageCause, storageProblem } from "./storage-errors.ts";

/** For all of a start together: after it, the process ends and its supervisor tries again. */
export const MAX_START_WAIT_MS = 60_000;
const PAUSE_MS = 250;

/** What ends by itself, as in a rollout of many instances. */
const PASSING: readonly StorageCause[] = ["crowded", "starting"];

/** Repeats a step of a start while the database has no room for it. */
export interface StartWait {
  /** Runs the work, which must be harmless to repeat. Rejects at once for any other failure. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Tells the operator once why the start takes time. */
  tell(reason: string): void;
  isOver(): boolean;
}

export function createStartWait(
  onNotice: (notice: StorageNotice) => void,
  nowMs: () => number,
  maxWaitMs = MAX_START_WAIT_MS,
): StartWait {
  const endsMs = nowMs() + maxWaitMs;
  const told = new Set<string>();
  const isOver = () => nowMs() >= endsMs;
  const tell = (reason: string) => {
    if (told.has(reason)) return;
    told.add(reason);
    onNotice({ message: "the start waits for the database", reason });
  };
  return {
    isOver,
    tell,
    async run(work) {
      for (;;) {
        try {
          return await work();
        } catch (error) {
          const problem = storageProblem(error);
          if (problem === null || !isPassing(error) || isOver()) throw error;
          tell(problem.words);
          await sleep(PAUSE_MS);
        }
      }
    },
  };
}

/** Whether the server itself asks to come back later: it says nothing about how to connect. */
export function isPassing(error: unknown): boolean {
  const cause = storageProblem(error)?.cause;
  return cause !== undefined && PASSING.includes(cause);
}
