import type { AmountLimiter, Clock } from "../core/ports.ts";
import { type CallLogs, createCallLogs } from "./call-logs.ts";
import { UNLIMITED } from "./decisions.ts";
import { MAX_OLDER_BYTES, MAX_TOKENS } from "./memory-limiter.ts";
import { createMinutes } from "./minutes.ts";
import { createSlidingWindows } from "./windows.ts";

const MINUTE_MS = 60_000;

/** Counts in the memory of this process. Past a cap the buckets unused for longest are forgotten. */
export function createMemoryAmounts(clock: Pick<Clock, "monotonicMs">): AmountLimiter {
  let logs: CallLogs | null = null;
  /** Allocated with the first call that has a limit. */
  const openLogs = () =>
    createCallLogs({
      clock,
      maxBuckets: MAX_TOKENS,
      maxOlderBytes: MAX_OLDER_BYTES,
      maxWindowMs: MINUTE_MS,
    });
  const minuteOf = createMinutes(createSlidingWindows);
  return {
    take(bucket, limit, amount) {
      if (limit === 0 || amount === 0) return UNLIMITED;
      logs ??= openLogs();
      return logs.take(bucket, minuteOf(limit), amount);
    },
    peek(bucket, limit) {
      if (limit === 0) return UNLIMITED;
      logs ??= openLogs();
      return logs.peek(bucket, minuteOf(limit));
    },
    settle(bucket, entry, taken, used) {
      // of any limit: what is given back depends on the length of the window alone
      if (used < taken) logs?.release(bucket, minuteOf(1), Number(entry), taken - used);
    },
  };
}
