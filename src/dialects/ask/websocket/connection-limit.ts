import { ProxyError } from "../../../core/errors.ts";
import type { ConcurrencyLimiter, Semaphore } from "../../../core/ports.ts";

/** Of all clients together: an open connection takes 20 KiB, one whose reader has stopped 100. */
export const MAX_CONNECTIONS = 2_000;

const RETRY_LIMITED_MS = 1_000;
const RETRY_OVERLOADED_MS = 2_000;

/** Bounds how many connections there are, of one bucket and of all. */
export interface Places {
  /** Returns the function that gives the place back. Throws `connections_limited` or `overloaded`. */
  enter(bucket: string): () => void;
}

/** `own` bounds what one bucket has, `all` what all have together. */
export function createPlaces(own: ConcurrencyLimiter, all: Semaphore, limit: number): Places {
  return {
    enter(bucket) {
      const leaveOwn = own.enter(bucket);
      if (leaveOwn === null) {
        const about = { params: { limit }, details: { limit } };
        throw new ProxyError("connections_limited", { ...about, retryAfterMs: RETRY_LIMITED_MS });
      }
      if (!all.take(1)) {
        leaveOwn();
        throw new ProxyError("overloaded", { retryAfterMs: RETRY_OVERLOADED_MS });
      }
      let left = false;
      return () => {
        if (left) return;
        left = true;
        leaveOwn();
        all.give(1);
      };
    },
  };
}
