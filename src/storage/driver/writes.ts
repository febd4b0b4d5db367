import { ProxyError } from "../../core/errors.ts";
import { type Batch, batchOf, type Group, type Waiting, writeBatches } from "./batch.ts";
import type { Driver } from "./driver.ts";

/** How Postgres writes a group. SQLite has one partition, which all groups share. */
export interface Partitioning {
  readonly partitions: number;
  /** Few in one transaction: each may be a round trip during which rows are locked. */
  readonly maxBatch: number;
}

export interface Writes {
  /** Returns how to add an entry; it resolves when that entry is durable. */
  group<E, R>(group: Group<E, R>, partitioning: Partitioning): (entry: E) => Promise<R>;
}

/** Larger transactions would delay their first entry for little gain. */
export const MAX_BATCH = 64;
/** Entries of one group that may wait for a slow database. Further callers are refused. */
const MAX_WAITING = 10_000;

/**
 * Group commit: entries of one tick are written together, and the next ones collect during the write.
 * On SQLite, which has one writer, the entries of all groups share a commit.
 */
export function createWrites(driver: Driver): Writes {
  const shared = createPartition(driver);
  return {
    group(group, { partitions, maxBatch }) {
      if (driver.kind === "sqlite") return shared(group, MAX_BATCH);
      const adds = Array.from({ length: partitions }, () =>
        createPartition(driver)(group, maxBatch),
      );
      return (entry) => {
        const add = adds[(group.keyOf(entry).at(-1)?.charCodeAt(0) ?? 0) % partitions];
        if (add === undefined) throw new RangeError("there are no partitions");
        return add(entry);
      };
    },
  };
}

/** One transaction at a time, with the entries that wait in all of its groups. */
function createPartition(driver: Driver) {
  const groups: (() => Batch | null)[] = [];
  let busy = false;

  const drain = async (): Promise<void> => {
    for (;;) {
      const batches = groups.map((next) => next()).filter((batch) => batch !== null);
      if (batches.length === 0) break;
      await writeBatches(driver, batches);
    }
    busy = false;
  };

  return <E, R>(group: Group<E, R>, maxBatch: number): ((entry: E) => Promise<R>) => {
    let waiting: Waiting<E, R>[] = [];
    groups.push(() => {
      if (waiting.length === 0) return null;
      const next = waiting.slice(0, maxBatch);
      waiting = waiting.slice(maxBatch);
      return batchOf(group, next);
    });
    return (entry) =>
      new Promise((resolve, reject) => {
        if (waiting.length >= MAX_WAITING) {
          reject(new ProxyError("internal", { cause: new Error("the database does not keep up") }));
          return;
        }
        waiting.push({ entry, resolve, reject });
        if (busy) return;
        busy = true;
        setImmediate(() => void drain());
      });
  };
}
