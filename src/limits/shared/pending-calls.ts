import type { Window } from "../decisions.ts";

/** More than this many buckets: those counted longest ago are left out. */
const MAX_BUCKETS = 100_000;
/** Of a bucket. Past it neighbors share an entry, with the later time. */
const MAX_ENTRIES = 128;
/** On their way to the store at once. */
const BATCH = 100;

/** A bucket's calls that the store does not have, oldest first. */
export interface PendingBucket {
  readonly windows: readonly Window[];
  readonly timesMs: number[];
  readonly calls: number[];
}

/** What this copy counted by itself and the store has yet to learn. Times are its own clock's. */
export interface PendingCalls {
  add(bucket: string, windows: readonly Window[], timeMs: number, calls: number): void;
  /** They were given back, or the store has them. */
  remove(bucket: string, timeMs: number, calls: number): void;
  /** Sends all, newest first, until a `send` says that the store did not take it. */
  drain(send: (bucket: string, pending: PendingBucket) => Promise<boolean>): Promise<void>;
}

export function createPendingCalls(maxBuckets = MAX_BUCKETS): PendingCalls {
  // the bucket counted last is at the end
  const buckets = new Map<string, PendingBucket>();

  const put = (bucket: string, pending: PendingBucket): void => {
    buckets.delete(bucket);
    buckets.set(bucket, pending);
    if (buckets.size <= maxBuckets) return;
    for (const oldest of buckets.keys()) {
      buckets.delete(oldest);
      return;
    }
  };

  const sendOne = async (
    bucket: string,
    send: (bucket: string, pending: PendingBucket) => Promise<boolean>,
  ): Promise<boolean> => {
    const pending = buckets.get(bucket);
    if (pending === undefined) return true;
    buckets.delete(bucket);
    if (await send(bucket, pending)) return true;
    put(bucket, joinPending(pending, buckets.get(bucket)));
    return false;
  };

  return {
    add(bucket, windows, timeMs, calls) {
      put(bucket, joinPending(buckets.get(bucket), { windows, timesMs: [timeMs], calls: [calls] }));
    },
    remove(bucket, timeMs, calls) {
      const pending = buckets.get(bucket);
      const index = pending?.timesMs.findIndex((time) => time >= timeMs) ?? -1;
      const held = pending?.calls[index];
      if (pending === undefined || held === undefined) return;
      pending.calls[index] = Math.max(0, held - calls);
    },
    async drain(send) {
      // calls go on meanwhile, and are counted here until the store is said to be back
      while (buckets.size > 0) {
        const names = [...buckets.keys()].reverse();
        for (let from = 0; from < names.length; from += BATCH) {
          const batch = names.slice(from, from + BATCH);
          const sent = await Promise.all(batch.map((bucket) => sendOne(bucket, send)));
          if (sent.includes(false)) return;
        }
      }
    },
  };
}

/** The newer ones go behind the older. */
function joinPending(
  older: PendingBucket | undefined,
  newer: PendingBucket | undefined,
): PendingBucket {
  if (older === undefined || newer === undefined) {
    return newer ?? older ?? { windows: [], timesMs: [], calls: [] };
  }
  older.timesMs.push(...newer.timesMs);
  older.calls.push(...newer.calls);
  const joined = { windows: newer.windows, timesMs: older.timesMs, calls: older.calls };
  return joined.calls.length > MAX_ENTRIES ? halve(joined) : joined;
}

function halve({ windows, timesMs, calls }: PendingBucket): PendingBucket {
  const pairs = timesMs.filter((_, index) => index % 2 === 0).map((_, index) => index * 2);
  return {
    windows,
    timesMs: pairs.map((index) => timesMs[index + 1] ?? timesMs[index] ?? 0),
    calls: pairs.map((index) => (calls[index] ?? 0) + (calls[index + 1] ?? 0)),
  };
}
