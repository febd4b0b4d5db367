import { ProxyError } from "../../../core/errors.ts";

/** Of all clients together: an open connection takes 20 KiB, one whose reader has stopped 100. */
export const MOST_CONNECTIONS = 2_000;

const RETRY_LIMITED_MS = 1_000;
const RETRY_OVERLOADED_MS = 2_000;

/** Bounds how many connections there are, of one bucket and of all. */
export interface Places {
  /** Returns the function that gives the place back. Throws `connections_limited` or `overloaded`. */
  enter(bucket: string): () => void;
}

/** `limit` is that of one bucket; 0 = none. */
export function createPlaces(limit: number): Places {
  const taken = new Map<string, number>();
  let total = 0;
  return {
    enter(bucket) {
      const own = taken.get(bucket) ?? 0;
      if (limit > 0 && own >= limit) {
        const about = { params: { limit }, facts: { limit } };
        throw new ProxyError("connections_limited", { ...about, retryAfterMs: RETRY_LIMITED_MS });
      }
      if (total >= MOST_CONNECTIONS) {
        throw new ProxyError("overloaded", { retryAfterMs: RETRY_OVERLOADED_MS });
      }
      total += 1;
      taken.set(bucket, own + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        total -= 1;
        const others = (taken.get(bucket) ?? 1) - 1;
        if (others === 0) taken.delete(bucket);
        else taken.set(bucket, others);
      };
    },
  };
}
