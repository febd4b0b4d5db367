import type { Clock } from "../core/ports.ts";

/** How late a deadline may fire. One coarse timer for all calls costs nothing per call. */
const TICK_MS = 100;

/** One call's deadline; moved forward as the call makes progress. */
export interface Deadline {
  /** Expires this many milliseconds from now, unless moved or cleared. */
  move(ms: number): void;
  clear(): void;
}

export interface Deadlines {
  /** `onExpire` is called once, at most. The total is never moved. */
  start(firstMs: number, totalMs: number, onExpire: () => void): Deadline;
}

interface Entry {
  at: number;
  readonly lastAt: number;
  readonly onExpire: () => void;
}

/** All deadlines of all calls on one timer, which runs only while there are any. */
export function createDeadlines(clock: Clock): Deadlines {
  const entries = new Set<Entry>();
  let timer: NodeJS.Timeout | null = null;

  const tick = () => {
    const nowMs = clock.monotonicMs();
    for (const entry of entries) {
      if (entry.at > nowMs && entry.lastAt > nowMs) continue;
      entries.delete(entry);
      entry.onExpire();
    }
    if (entries.size === 0 && timer !== null) {
      clearInterval(timer);
      timer = null;
    }
  };

  return {
    start(firstMs, totalMs, onExpire) {
      if (timer === null) {
        timer = setInterval(tick, TICK_MS);
        timer.unref();
      }
      const nowMs = clock.monotonicMs();
      const entry: Entry = { at: nowMs + firstMs, lastAt: nowMs + totalMs, onExpire };
      entries.add(entry);
      return {
        move: (ms) => {
          entry.at = clock.monotonicMs() + ms;
        },
        clear: () => {
          entries.delete(entry);
        },
      };
    },
  };
}
