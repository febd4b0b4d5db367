import type { Clock, LimitDecision, Limiter } from "../core/ports.ts";
import { createCallLogs } from "./call-logs.ts";
import { createSlidingWindows, type Limits } from "./windows.ts";

/**
 * A million addresses with a call each then cost 21 to 38 MB of resident memory, 47 MB at the peak
 * (Node 26.10); one with more calls within its longest window adds 52 bytes for each four, below.
 */
const DEFAULT_MAX_BUCKETS = 524_288;

/** Some 480,000 addresses with up to five calls each, or 37,000 with fifty. */
export const MAX_OLDER_BYTES = 24 * 2 ** 20;

const UNLIMITED: LimitDecision = { admitted: true, windows: [], refusedBy: null, retryAfterMs: 0 };

export interface MemoryLimiterOptions {
  readonly limits: Limits;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly maxBuckets?: number;
  /** For the logs of more than one entry, together. */
  readonly maxOlderBytes?: number;
}

/** Counts in the memory of this process. Past a cap the buckets unused for longest are forgotten. */
export function createMemoryLimiter({
  limits,
  clock,
  maxBuckets = DEFAULT_MAX_BUCKETS,
  maxOlderBytes = MAX_OLDER_BYTES,
}: MemoryLimiterOptions): Limiter {
  const windows = createSlidingWindows(limits);
  if (windows === null) return { take: () => UNLIMITED, peek: () => UNLIMITED };
  const { maxWindowMs } = windows;
  const logs = createCallLogs({ clock, maxBuckets, maxOlderBytes, maxWindowMs });
  return {
    take: (bucket) => logs.take(bucket, windows),
    peek: (bucket) => logs.peek(bucket, windows),
  };
}
