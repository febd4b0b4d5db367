import type { Token } from "../core/accounts/accounts.ts";
import type { Clock, LimitDecision, LimitEntry, Limiter, TokenLimiter } from "../core/ports.ts";
import { type CallLogs, createCallLogs } from "./call-logs.ts";
import {
  createSlidingWindows,
  type Limits,
  MAX_WINDOW_MS,
  type SlidingWindows,
} from "./windows.ts";

/**
 * A million addresses with a call each then cost 21 to 38 MB of resident memory, 47 MB at the peak
 * (Node 26.10). An address with more calls in its longest window adds 52 bytes per four further calls
 * (MAX_OLDER_BYTES).
 */
const DEFAULT_MAX_BUCKETS = 524_288;
/** Past this the tokens unused for longest are forgotten. */
const MAX_TOKENS = 65_536;
/** Some 480,000 addresses with up to five calls each, or 37,000 with fifty. */
const MAX_OLDER_BYTES = 24 * 2 ** 20;
/** Tokens with equal limits share their windows; more kinds than this are made anew. */
const MAX_KINDS = 1_000;

const UNLIMITED: LimitDecision = {
  admitted: true,
  windows: [],
  refusedBy: null,
  retryAfterMs: 0,
  entry: null,
};

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
  const windows = createSlidingWindows(limits);
  if (windows === null) {
    return { take: () => UNLIMITED, peek: () => UNLIMITED, release: () => undefined };
  }
  const { maxWindowMs } = windows;
  const logs = createCallLogs({ clock, maxBuckets, maxOlderBytes, maxWindowMs });
  return {
    take: (bucket) => logs.take(bucket, windows),
    peek: (bucket) => logs.peek(bucket, windows),
    release: (bucket, entry) => logs.release(bucket, Number(entry)),
  };
}

/** Counts calls against the windows of each token, in the memory of this process. */
export function createMemoryTokenLimiter(clock: Pick<Clock, "monotonicMs">): TokenLimiter {
  const kinds = new Map<string, SlidingWindows | null>();
  let logs: CallLogs | null = null;
  /** Allocated with the first token that has limits. */
  const openLogs = () =>
    createCallLogs({
      clock,
      maxBuckets: MAX_TOKENS,
      maxOlderBytes: MAX_OLDER_BYTES,
      maxWindowMs: MAX_WINDOW_MS,
    });

  const windowsOf = ({ limits }: Token): SlidingWindows | null => {
    const kind = JSON.stringify(limits);
    const known = kinds.get(kind);
    if (known !== undefined) return known;
    if (kinds.size >= MAX_KINDS) kinds.clear();
    const made = createSlidingWindows({ second: 0, minute: 0, hour: 0, day: 0, ...limits });
    kinds.set(kind, made);
    return made;
  };

  return {
    take(token) {
      const windows = Object.keys(token.limits).length === 0 ? null : windowsOf(token);
      if (windows === null) return UNLIMITED;
      logs ??= openLogs();
      return logs.take(token.id, windows);
    },
    release: (token, entry) => logs?.release(token.id, Number(entry)),
  };
}
