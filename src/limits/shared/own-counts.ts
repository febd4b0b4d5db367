import type { Clock, LimitDecision, LimitEntry } from "../../core/ports.ts";
import { type CallLogs, createCallLogs } from "../call-logs.ts";
import { MAX_WINDOW_MS, type Window } from "../decisions.ts";
import { DEFAULT_MAX_BUCKETS, MAX_OLDER_BYTES } from "../memory-limiter.ts";
import { createSlidingWindows, type SlidingWindows } from "../windows.ts";
import { createPendingCalls, type PendingCalls } from "./pending-calls.ts";

/** What one copy counts by itself while the store is away, with a part of each limit. */
export interface OwnCounts {
  take(bucket: string, windows: readonly Window[], calls: number): LimitDecision;
  peek(bucket: string, windows: readonly Window[]): LimitDecision;
  release(bucket: string, windows: readonly Window[], entry: LimitEntry, calls: number): void;
  /**
   * Takes a call that the store will count from this copy's part, too; null where that is not needed.
   * Copies come back one after the other, and a store that came back empty does not know what the
   * others are still counting by themselves: until they are back, nobody gets more than a part.
   */
  takeBeside(bucket: string, windows: readonly Window[], calls: number): Beside | null;
  /** The store is back for this copy. */
  returned(): void;
  /** What the store has yet to learn. Times are those of the entries. */
  readonly pending: PendingCalls;
}

export interface Beside {
  readonly decision: LimitDecision;
  /** The store has not counted it. */
  giveBack(): void;
}

/** All copies are back within this time of each other. */
const SETTLE_MS = 5_000;

interface Divided {
  readonly copies: number;
  readonly windows: SlidingWindows;
}

/**
 * What was counted is kept until it leaves its windows, also when the store is back: a store that comes
 * and goes grants no more for it.
 */
export function createOwnCounts(
  clock: Pick<Clock, "monotonicMs">,
  copies: () => number,
): OwnCounts {
  const pending = createPendingCalls();
  const divided = new WeakMap<readonly Window[], Divided>();
  let logs: CallLogs | null = null;
  let settledAtMs = Number.NEGATIVE_INFINITY;
  /** Allocated when the store is away for the first time. */
  const openLogs = () =>
    createCallLogs({
      clock,
      maxBuckets: DEFAULT_MAX_BUCKETS,
      maxOlderBytes: MAX_OLDER_BYTES,
      maxWindowMs: MAX_WINDOW_MS,
    });

  const divide = (windows: readonly Window[]): SlidingWindows => {
    const now = Math.max(1, copies());
    const known = divided.get(windows);
    if (known?.copies === now) return known.windows;
    const made = createSlidingWindows(
      windows.map((window) => ({ ...window, limit: Math.ceil(window.limit / now) })),
    );
    divided.set(windows, { copies: now, windows: made });
    return made;
  };

  return {
    pending,
    take(bucket, windows, calls) {
      logs ??= openLogs();
      const decision = logs.take(bucket, divide(windows), calls);
      if (decision.entry !== null) pending.add(bucket, windows, Number(decision.entry), calls);
      return decision;
    },
    peek(bucket, windows) {
      logs ??= openLogs();
      return logs.peek(bucket, divide(windows));
    },
    takeBeside(bucket, windows, calls) {
      if (logs === null || clock.monotonicMs() >= settledAtMs) return null;
      const part = divide(windows);
      const decision = logs.take(bucket, part, calls);
      const { entry } = decision;
      return {
        decision,
        giveBack() {
          if (entry !== null) logs?.release(bucket, part, Number(entry), calls);
        },
      };
    },
    returned() {
      settledAtMs = clock.monotonicMs() + SETTLE_MS;
    },
    release(bucket, windows, entry, calls) {
      logs?.release(bucket, divide(windows), Number(entry), calls);
      pending.remove(bucket, Number(entry), calls);
    },
  };
}
