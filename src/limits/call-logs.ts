import type { Clock, LimitDecision } from "../core/ports.ts";
import { createBucketTable, NO_SLOT } from "./bucket-table.ts";
import { createKeptLogs } from "./kept-logs.ts";
import type { SlidingWindows } from "./windows.ts";

/** More than the one that a call can add, so that expired buckets become fewer. */
const SWEPT_BUCKETS_PER_CALL = 2;

export interface CallLogsOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly maxBuckets: number;
  /** For all entries but the newest of each bucket, together. */
  readonly maxOlderBytes: number;
  /** A bucket whose last call is this old may be forgotten. */
  readonly maxWindowMs: number;
}

/** The admitted calls of many buckets; each step is atomic. */
export interface CallLogs {
  take(bucket: string, windows: SlidingWindows): LimitDecision;
  peek(bucket: string, windows: SlidingWindows): LimitDecision;
}

/** Past a cap the buckets unused for longest are forgotten. */
export function createCallLogs(options: CallLogsOptions): CallLogs {
  const { clock, maxBuckets, maxOlderBytes, maxWindowMs } = options;
  const table = createBucketTable(maxBuckets);
  const logs = createKeptLogs({ slots: maxBuckets, maxOlderBytes });

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
    take(bucket, windows) {
      const nowMs = clock.monotonicMs();
      sweep(nowMs);
      logs.open(slotOf(bucket));
      return windows.take(logs, nowMs);
    },
    peek(bucket, windows) {
      // a bucket without a slot has the log of no slot, which stays empty
      logs.open(table.find(bucket));
      return windows.peek(logs, clock.monotonicMs());
    },
  };
}
