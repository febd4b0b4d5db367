import { performance } from "node:perf_hooks";

/** While work ends at least this often, a database is busy and not silent. */
const STALL_MS = 1_000;
/** Of a busy database, too. */
const MAX_WAIT_MS = 10_000;

export interface SessionTurns {
  /** Resolves when a session is free; rejects if none becomes free in time. First come, first served. */
  take(): Promise<void>;
  /** Gives the turn back. `served`: the database did what it was asked. */
  give(served: boolean): void;
}

interface Waiting {
  readonly sinceMs: number;
  go(): void;
  giveUp(): void;
}

/**
 * Shares a number of sessions. The pool's own queue refuses after a fixed time, and so a burst of calls
 * on a database that is only busy.
 */
export function createSessionTurns(sessions: number): SessionTurns {
  // bounded by the open calls
  const queue = new Set<Waiting>();
  let free = sessions;
  let servedMs = performance.now();
  let isWatched = false;

  /** Waiting works are in order, so the first is the first to give up. */
  const limitOf = ({ sinceMs }: Waiting) =>
    Math.min(Math.max(sinceMs, servedMs) + STALL_MS, sinceMs + MAX_WAIT_MS);
  const watch = () => {
    isWatched = false;
    for (const waiting of queue) {
      const leftMs = limitOf(waiting) - performance.now();
      if (leftMs > 0) {
        isWatched = true;
        setTimeout(watch, leftMs);
        return;
      }
      queue.delete(waiting);
      waiting.giveUp();
    }
  };

  return {
    take() {
      if (free > 0) {
        free -= 1;
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        const giveUp = () => reject(new Error("timeout exceeded when waiting for a connection"));
        queue.add({ sinceMs: performance.now(), go: resolve, giveUp });
        if (isWatched) return;
        isWatched = true;
        setTimeout(watch, STALL_MS);
      });
    },
    give(served) {
      if (served) servedMs = performance.now();
      const [next] = queue;
      if (next === undefined) {
        free += 1;
        return;
      }
      queue.delete(next);
      next.go();
    },
  };
}
