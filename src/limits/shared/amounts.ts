import type { AmountLimiter } from "../../core/ports.ts";
import { UNLIMITED } from "../decisions.ts";
import { createMinutes } from "../minutes.ts";
import { createSharedCounts, type SharedCountsOptions } from "./counts.ts";

/** A sliding minute over amounts, counted over all copies. */
export function createSharedAmounts(options: SharedCountsOptions): AmountLimiter {
  const minuteOf = createMinutes((windows) => windows);
  const counts = createSharedCounts("amounts", options);
  return {
    take: (bucket, limit, amount) =>
      limit === 0 || amount === 0
        ? UNLIMITED
        : counts.take({ bucket, windows: minuteOf(limit), calls: amount }),
    peek: (bucket, limit) => (limit === 0 ? UNLIMITED : counts.peek(bucket, minuteOf(limit))),
    settle(bucket, entry, taken, used) {
      if (used >= taken) return undefined;
      // of any limit: what is given back depends on the length of the window alone
      return counts.release({ bucket, windows: minuteOf(1), calls: taken - used }, entry);
    },
  };
}
