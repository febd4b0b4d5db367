import type { Limiter, TokenLimiter } from "../../core/ports.ts";
import { type Limits, UNLIMITED, windowsOf } from "../decisions.ts";
import { createTokenWindows } from "../token-windows.ts";
import { createSharedCounts, type SharedCountsOptions } from "./counts.ts";

/** Counts calls per client address over all copies. */
export function createSharedLimiter(limits: Limits, options: SharedCountsOptions): Limiter {
  const windows = windowsOf(limits);
  if (windows.length === 0) {
    return { take: () => UNLIMITED, peek: () => UNLIMITED, release: () => undefined };
  }
  const counts = createSharedCounts("calls", options);
  return {
    take: (bucket) => counts.take({ bucket, windows, calls: 1 }),
    peek: (bucket) => counts.peek(bucket, windows),
    release: (bucket, entry) => counts.release({ bucket, windows, calls: 1 }, entry),
  };
}

/** Counts calls against the windows of each token, over all copies. */
export function createSharedTokenLimiter(options: SharedCountsOptions): TokenLimiter {
  const windowsOfToken = createTokenWindows((windows) => windows);
  const counts = createSharedCounts("token-calls", options);
  return {
    take(token) {
      const windows = windowsOfToken(token);
      return windows === null ? UNLIMITED : counts.take({ bucket: token.id, windows, calls: 1 });
    },
    peek(token) {
      const windows = windowsOfToken(token);
      return windows === null ? UNLIMITED : counts.peek(token.id, windows);
    },
    release(token, entry) {
      const windows = windowsOfToken(token);
      return windows === null
        ? undefined
        : counts.release({ bucket: token.id, windows, calls: 1 }, entry);
    },
  };
}
