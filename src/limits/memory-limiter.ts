import type { Clock, LimitDecision, LimitEntry, Limiter, TokenLimiter } from "../core/ports.ts";
import { type CallLogs, createCallLogs } from "./call-logs.ts";
import { type Limits, MAX_WINDOW_MS, UNLIMITED, windowsOf } from "./decisions.ts";
import { createTokenWindows } from "./token-windows.ts";
import { createSlidingWindows } from "./windows.ts";

/**
 * A million addresses with a call each then cost 21 to 38 MB of resident memory, 47 MB at the peak
 * (Node 26.10). An address with more calls in its longest window adds 52 bytes per four further calls
 * (MAX_OLDER_BYTES).
 */
export const DEFAULT_MAX_BUCKETS = 524_288;
/** Past this the tokens unused for longest are forgotten. */
export const MAX_TOKENS = 65_536;
/** Some 480,000 addresses with up to five calls each, or 37,000 with fifty. */
export const MAX_OLDER_BYTES = 24 * 2 ** 20;
/** Decides at once. */
export interface MemoryLimiter extends Limiter {
  take(bucket: string): LimitDecision;
  peek(bucket: string): LimitDecision;
  release(bucket: string, entry: LimitEntry): void;
}

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
}: MemoryLimiterOptions): MemoryLimiter {
  const limited = windowsOf(limits);
  if (limited.length === 0) {
    return { take: () => UNLIMITED, peek: () => UNLIMITED, release: () => undefined };
  }
  const windows = createSlidingWindows(limited);
  const { maxWindowMs } = windows;
  const logs = createCallLogs({ clock, maxBuckets, maxOlderBytes, maxWindowMs });
  return {
    take: (bucket) => logs.take(bucket, windows),
    peek: (bucket) => logs.peek(bucket, windows),
    release: (bucket, entry) => logs.release(bucket, windows, Number(entry)),
  };
}

/** Counts calls against the windows of each token, in the memory of this process. */
export function createMemoryTokenLimiter(clock: Pick<Clock, "monotonicMs">): TokenLimiter {
  const windowsOfToken = createTokenWindows(createSlidingWindows);
  let logs: CallLogs | null = null;
  /** Allocated with the first token that has limits. */
  const openLogs = () =>
    createCallLogs({
      clock,
      maxBuckets: MAX_TOKENS,
      maxOlderBytes: MAX_OLDER_BYTES,
      maxWindowMs: MAX_WINDOW_MS,
    });

  return {
    take(token) {
      const windows = windowsOfToken(token);
      if (windows === null) return UNLIMITED;
      logs ??= openLogs();
      return logs.take(token.id, windows);
    },
    peek(token) {
      const windows = windowsOfToken(token);
      if (windows === null) return UNLIMITED;
      logs ??= openLogs();
      return logs.peek(token.id, windows);
    },
    release(token, entry) {
      const windows = windowsOfToken(token);
      if (windows !== null) logs?.release(token.id, windows, Number(entry));
    },
  };
}
