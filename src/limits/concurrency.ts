import type { ConcurrencyLimiter } from "../core/ports.ts";
import { intAt } from "./array-access.ts";
import { createBucketTable, NO_SLOT } from "./bucket-table.ts";

/** More buckets with something open than memory has room for what is open. */
const MAX_BUCKETS = 65_536;

/** At most `limit` open at once in each bucket; 0 = counted, but without a bound. */
export function createConcurrencyLimiter(limit: number): ConcurrencyLimiter {
  // Holds only buckets with something open.
  const table = createBucketTable(MAX_BUCKETS);
  const counts = new Int32Array(MAX_BUCKETS + 1);

  const enter = (bucket: string): boolean => {
    const known = table.find(bucket);
    if (known === NO_SLOT && table.isFull()) return false;
    const slot = known === NO_SLOT ? table.add(bucket) : known;
    const count = intAt(counts, slot);
    if (limit > 0 && count >= limit) return false;
    counts[slot] = count + 1;
    return true;
  };

  const leave = (bucket: string): void => {
    const slot = table.find(bucket);
    counts[slot] = intAt(counts, slot) - 1;
    if (intAt(counts, slot) === 0) table.remove(slot);
  };

  return {
    enter(bucket) {
      if (!enter(bucket)) return null;
      let inside = true;
      return () => {
        if (!inside) return;
        inside = false;
        leave(bucket);
      };
    },
    // a bucket without a slot has the count of no slot
    count: (bucket) => intAt(counts, table.find(bucket)),
  };
}
