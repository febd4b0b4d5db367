import type { Clock, LimitDecision } from "../core/ports.ts";
import { createBucketTable, NO_SLOT } from "./bucket-table.ts";
import { MemoryLogs } from "./memory-logs.ts";
import { MAX_LOG_ENTRIES, type SlidingWindows } from "./windows.ts";

/** More than the one bucket that a call can add, so that expired ones become fewer. */
const SWEPT_BUCKETS_PER_CALL = 2;

export interface CallLogsOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly maxBuckets: number;
  /** For all entries but the newest of each bucket, together. */
  readonly maxOlderBytes: number;
  /** Once its last call is this old, a bucket may be forgotten. */
  readonly maxWindowMs: number;
}

/** The admitted calls of many buckets. Each method is one atomic step; `calls` are 1 unless given. */
export interface CallLogs {
  take(bucket: string, windows: SlidingWindows, calls?: number): LimitDecision;
  peek(bucket: string, windows: SlidingWindows): LimitDecision;
  /** Nothing if the calls have left all windows. */
  release(bucket: string, windows: SlidingWindows, countedMs: number, calls?: number): void;
}

/** Past either maximum the buckets unused for longest are forgotten. */
export function createCallLogs(options: CallLogsOptions): CallLogs {
  const { clock, maxBuckets, maxOlderBytes, maxWindowMs } = options;
  const table = createBucketTable(maxBuckets);
  const logs = new MemoryLogs({ slots: maxBuckets, maxOlderBytes, maxLogEntries: MAX_LOG_ENTRIES });

  const forget = (slot: number): void => {
    logs.clear(slot);
    table.remove(slot);
  };

  const sweep = (nowMs: number): void => {
    while (!logs.hasRoom()) forget(table.oldest());
    for (let swept = 0; swept < SWEPT_BUCKETS_PER_CALL; swept += 1) {
      const slot = table.oldest();
      if (slot === NO_SLOT || logs.lastMs(slot) > nowMs - maxWindowMs) return;
      forget(slot);
    }
  };

  const slotOf = (bucket: string): number => {
    const known = table.find(bucket);
    if (known !== NO_SLOT) {
      table.touch(known);
      return known;
    }
    if (table.isFull()) forget(table.oldest());
    return table.add(bucket);
  };

  return {
    take(bucket, windows, calls) {
      const nowMs = clock.monotonicMs();
      sweep(nowMs);
      logs.open(slotOf(bucket));
      return windows.take(logs, nowMs, calls);
    },
    peek(bucket, windows) {
      // a bucket without a slot has log 0, which stays empty
      logs.open(table.find(bucket));
      return windows.peek(logs, clock.monotonicMs());
    },
    release(bucket, windows, countedMs, calls = 1) {
      logs.open(table.find(bucket));
      windows.release(logs, clock.monotonicMs(), countedMs, calls);
    },
  };
}
