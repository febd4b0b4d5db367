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
  /** What the store has yet to learn. Times are those of the entries. */
  readonly pending: PendingCalls;
}

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
    release(bucket, windows, entry, calls) {
      logs?.release(bucket, divide(windows), Number(entry), calls);
      pending.remove(bucket, Number(entry), calls);
    },
  };
}
