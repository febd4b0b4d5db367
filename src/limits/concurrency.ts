import type { ConcurrencyLimiter, Lease, OpenCallLimiter, Semaphore } from "../core/ports.ts";
import { FIRST_ROOM, intAt, longerInts } from "./array-access.ts";
import { createBucketTable, NO_SLOT } from "./bucket-table.ts";

/** Not reached in practice: memory runs out before this many buckets have something open. */
const MAX_BUCKETS = 65_536;

const REFUSED: Lease = { entered: false };

/** Decides at once. */
export interface MemoryConcurrencyLimiter extends ConcurrencyLimiter {
  enter(bucket: string): Lease;
  count(bucket: string): { readonly open: number };
}

/** Decides at once. */
export interface MemoryOpenCallLimiter extends OpenCallLimiter {
  enter(holder: string, limit: number): Lease;
  count(holder: string): { readonly open: number };
}

/** Admits at most `limit` open things per bucket; 0 = counted, but without a bound. */
export function createConcurrencyLimiter(limit: number): MemoryConcurrencyLimiter {
  const { enter, count } = createOpenCallLimiter();
  return { enter: (bucket) => enter(bucket, limit), count };
}

/** The same with a limit that comes with each call. */
export function createOpenCallLimiter(): MemoryOpenCallLimiter {
  // knows only holders with something open
  const table = createBucketTable(MAX_BUCKETS);
  let counts = new Int32Array(FIRST_ROOM + 1);

  const leave = (holder: string): void => {
    const slot = table.find(holder);
    counts[slot] = intAt(counts, slot) - 1;
    if (intAt(counts, slot) === 0) table.remove(slot);
  };

  return {
    enter(holder, limit) {
      const known = table.find(holder);
      if (known === NO_SLOT && table.isFull()) return REFUSED;
      // one without a slot has the count of no slot, 0
      const count = intAt(counts, known);
      if (limit > 0 && count >= limit) return REFUSED;
      const slot = known === NO_SLOT ? table.add(holder) : known;
      if (slot >= counts.length) counts = longerInts(counts, MAX_BUCKETS + 1);
      counts[slot] = count + 1;
      let inside = true;
      return {
        entered: true,
        leave() {
          if (inside) leave(holder);
          inside = false;
        },
      };
    },
    count: (holder) => ({ open: intAt(counts, table.find(holder)) }),
  };
}

/** Decides at once. */
export interface MemorySemaphore extends Semaphore {
  take(amount: number): { readonly taken: boolean };
  give(amount: number): void;
}

export function createSemaphore(max: number): MemorySemaphore {
  let held = 0;
  return {
    take(amount) {
      const taken = held + amount <= max;
      if (taken) held += amount;
      return { taken };
    },
    give(amount) {
      held -= amount;
    },
  };
}
