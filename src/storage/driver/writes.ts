import { ProxyError } from "../../core/errors.ts";
import type { Driver, Transaction } from "./driver.ts";
import { sqliteCode, storageProblem } from "./storage-errors.ts";

/** How Postgres writes a group. SQLite has one partition, which all groups share. */
export interface Partitioning {
  readonly partitions: number;
  /** Few in one transaction: each may be a round trip during which rows are locked. */
  readonly maxBatch: number;
}

export interface Writes {
  /** Returns how to add an entry; it resolves when that entry is durable. */
  group<E, R>(group: WriteGroup<E, R>, partitioning: Partitioning): (entry: E) => Promise<R>;
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

  const take = () => groups.map((next) => next()).filter((batch) => batch !== null);

  const drain = async (): Promise<void> => {
    for (let batches = take(); batches.length > 0; batches = take()) {
      const { away } = await writeBatches(driver, batches);
      // Those that came meanwhile have waited as long, and would wait again for the same.
      if (away === null) continue;
      for (let late = take(); late.length > 0; late = take()) {
        for (const batch of late) batch.reject(away);
      }
    }
    busy = false;
  };

  return <E, R>(group: WriteGroup<E, R>, maxBatch: number): ((entry: E) => Promise<R>) => {
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
          reject(new Error("the database does not keep up"));
          return;
        }
        waiting.push({ entry, resolve, reject });
        if (busy) return;
        busy = true;
        setImmediate(() => void drain());
      });
  };
}

/** SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH. */
const SQLITE_REFUSALS = [18, 19, 20];

/** Entries of one kind, which are written together. */
export interface WriteGroup<E, R> {
  /**
   * Entries with the same key are written together, and keys in their order, so that two transactions
   * never wait for each other. Postgres divides the keys among partitions by their last character,
   * which should be random.
   */
  readonly keyOf: (entry: E) => string;
  /** Writes entries of one key and returns a result for each, in their order. */
  readonly write: (entries: readonly E[]) => Transaction<readonly R[]>;
  /** Whether these entries need only one statement, and so no BEGIN and COMMIT. */
  readonly isOneStatement: (entries: readonly E[]) => boolean;
}

interface Waiting<E, R> {
  readonly entry: E;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** Entries of one group, with the callers that wait for them. */
export interface Batch {
  readonly isOneStatement: boolean;
  write(): Transaction<void>;
  resolve(): void;
  reject(error: unknown): void;
  /** A batch for each entry. */
  split(): readonly Batch[];
}

export function batchOf<E, R>(group: WriteGroup<E, R>, waiting: readonly Waiting<E, R>[]): Batch {
  const byKey = [...Map.groupBy(waiting, ({ entry }) => group.keyOf(entry))]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, sameKey]) => sameKey);
  let results: R[] = [];
  return {
    isOneStatement: group.isOneStatement(waiting.map(({ entry }) => entry)),
    *write() {
      results = [];
      for (const sameKey of byKey) {
        results.push(...(yield* group.write(sameKey.map(({ entry }) => entry))));
      }
    },
    resolve() {
      // A group returns one result per entry.
      for (const [at, one] of byKey.flat().entries()) one.resolve(results[at] as R);
    },
    reject(error) {
      for (const one of waiting) one.reject(error);
    },
    split: () => waiting.map((one) => batchOf(group, [one])),
  };
}

/**
 * Writes the batches in one transaction. If the database refuses it, each batch is tried alone, then
 * each entry, so that a bad entry fails no other. Returns the error if the database is away.
 */
export async function writeBatches(
  driver: Driver,
  batches: readonly Batch[],
): Promise<{ readonly away: unknown }> {
  try {
    await writeTogether(driver, batches);
  } catch (error) {
    if (isRefusal(error)) await writeParts(driver, batches, error);
    else for (const batch of batches) batch.reject(error);
    return { away: isRefusal(error) ? null : error };
  }
  for (const batch of batches) batch.resolve();
  return { away: null };
}

async function writeParts(driver: Driver, batches: readonly Batch[], refusal: unknown) {
  const parts = batches.length > 1 ? batches : batches.flatMap((batch) => batch.split());
  if (parts.length > 1) for (const part of parts) await writeBatches(driver, [part]);
  else for (const batch of batches) batch.reject(refusal);
}

function writeTogether(driver: Driver, batches: readonly Batch[]): Promise<void> {
  const work = function* (): Transaction<void> {
    for (const batch of batches) yield* batch.write();
  };
  const isOneStatement = batches.length === 1 && batches.every((batch) => batch.isOneStatement);
  return isOneStatement ? driver.run(work) : driver.transaction(work);
}

/** Parley or the database refused an entry; the database is not away. */
export function isRefusal(error: unknown): boolean {
  const code = sqliteCode(error);
  if (code !== null) return SQLITE_REFUSALS.includes(code);
  if (error instanceof Error && "severity" in error) {
    return error.severity !== "FATAL" && storageProblem(error) === null;
  }
  // Besides our own errors: a value that can't be bound.
  return [ProxyError, TypeError, RangeError].some((type) => error instanceof type);
}
