import { SQLITE_BUSY, sqliteCode } from "./storage-errors.ts";

/** Between two tries; the thread is free meanwhile. */
const PAUSE_MS = 10;
/** Works that wait together; a further one is refused at once. */
const MAX_WAITING = 20_000;

export interface LockWait {
  /** Runs the work, again and again while another process holds SQLite's lock. */
  run<T>(work: () => T): Promise<T>;
  /** Tells that a lock was taken, so the next wait begins anew. */
  free(): void;
}

interface Waiting {
  /** False if the lock is still held. */
  tryAgain(): boolean;
  giveUp(): void;
}

/**
 * Waits for SQLite's lock without blocking the thread. All works wait on one timer and for the same
 * time: from the first one that met the lock, `maxWaitMs` by the clock. After that each is tried just
 * once until one gets through, so that the steps of a call don't wait one after the other.
 */
export function createLockWait(maxWaitMs: number): LockWait {
  let waiting: Waiting[] = [];
  let lockedSinceMs: number | null = null;

  const isOver = () => lockedSinceMs !== null && performance.now() - lockedSinceMs >= maxWaitMs;

  const tryAgain = () => {
    const still = waiting.findIndex((one) => !one.tryAgain());
    waiting = still === -1 ? [] : waiting.slice(still);
    if (waiting.length === 0) return;
    if (!isOver()) {
      setTimeout(tryAgain, PAUSE_MS);
      return;
    }
    const refused = waiting;
    waiting = [];
    for (const one of refused) one.giveUp();
  };

  const wait = <T>(work: () => T, busy: unknown) => {
    lockedSinceMs ??= performance.now();
    if (isOver() || waiting.length >= MAX_WAITING) throw busy;
    return new Promise<T>((resolve, reject) => {
      if (waiting.length === 0) setTimeout(tryAgain, PAUSE_MS);
      let last = busy;
      waiting.push({
        tryAgain: () => {
          try {
            resolve(work());
          } catch (error) {
            if (isBusy(error)) {
              last = error;
              return false;
            }
            reject(error);
          }
          return true;
        },
        giveUp: () => reject(last),
      });
    });
  };

  return {
    async run(work) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error)) throw error;
        return wait(work, error);
      }
    },
    free: () => {
      lockedSinceMs = null;
    },
  };
}

function isBusy(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_BUSY;
}
