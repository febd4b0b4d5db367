import type { AmountLimiter, Clock } from "../core/ports.ts";
import { createCallLogs } from "./call-logs.ts";
import { UNLIMITED, type Window, windowsOf } from "./decisions.ts";
import { MAX_OLDER_BYTES, MAX_TOKENS } from "./memory-limiter.ts";
import { createSlidingWindows, type SlidingWindows } from "./windows.ts";

/** What an entry of a log can hold: a higher limit counts as this. */
const MAX_AMOUNT = 2 ** 31 - 1;
const MINUTE_MS = 60_000;
/** Holders with equal limits share their windows; more limits than this are made anew. */
const MAX_KINDS = 1_000;

/** The one window of a limit over amounts. */
export function minuteOf(limit: number): readonly Window[] {
  return windowsOf({ second: 0, minute: Math.min(limit, MAX_AMOUNT), hour: 0, day: 0 });
}

/** Counts in the memory of this process. Past a cap the buckets unused for longest are forgotten. */
export function createMemoryAmounts(clock: Pick<Clock, "monotonicMs">): AmountLimiter {
  const logs = createCallLogs({
    clock,
    maxBuckets: MAX_TOKENS,
    maxOlderBytes: MAX_OLDER_BYTES,
    maxWindowMs: MINUTE_MS,
  });
  const kinds = new Map<number, SlidingWindows>();
  const windowsFor = (limit: number): SlidingWindows => {
    const known = kinds.get(limit);
    if (known !== undefined) return known;
    if (kinds.size >= MAX_KINDS) kinds.clear();
    const made = createSlidingWindows(minuteOf(limit));
    kinds.set(limit, made);
    return made;
  };
  // of any limit: a release asks only how long a window is
  const anyMinute = windowsFor(MAX_AMOUNT);
  return {
    take: (bucket, limit, amount) =>
      limit === 0 ? UNLIMITED : logs.take(bucket, windowsFor(limit), amount),
    settle(bucket, entry, taken, used) {
      if (used < taken) logs.release(bucket, anyMinute, Number(entry), taken - used);
    },
  };
}
