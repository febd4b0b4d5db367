import { ProxyError } from "../../../core/errors.ts";
import { type MaybePromise, whenReady } from "../../../core/maybe-promise.ts";
import type { ConcurrencyLimiter, Lease, Semaphore } from "../../../core/ports.ts";

/** For all clients together: an open connection takes 20 KiB, one whose reader has stopped 100. */
export const MAX_CONNECTIONS = 2_000;

const RETRY_LIMITED_MS = 1_000;
const RETRY_OVERLOADED_MS = 2_000;

/** Bounds the connections of one bucket and of all together. */
export interface ConnectionLimit {
  /** Returns how to leave. Throws or rejects `connections_limited` or `overloaded`. */
  enter(bucket: string): MaybePromise<() => void>;
}

/** `limit`: per bucket, named in the refusal. */
export function createConnectionLimit(
  perBucket: ConcurrencyLimiter,
  all: Semaphore,
  limit: number,
): ConnectionLimit {
  const enterAll = (lease: Lease): MaybePromise<() => void> => {
    if (!lease.entered) {
      const about = { params: { limit }, details: { limit } };
      throw new ProxyError("connections_limited", { ...about, retryAfterMs: RETRY_LIMITED_MS });
    }
    return whenReady(all.take(1), ({ taken }) => {
      if (!taken) {
        lease.leave();
        throw new ProxyError("overloaded", { retryAfterMs: RETRY_OVERLOADED_MS });
      }
      let left = false;
      return () => {
        if (left) return;
        left = true;
        lease.leave();
        void all.give(1);
      };
    });
  };
  return { enter: (bucket) => whenReady(perBucket.enter(bucket), enterAll) };
}
