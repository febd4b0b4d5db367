import { ProxyError } from "../../core/errors.ts";
import type { Driver, Transaction } from "./driver.ts";
import { sqliteCode } from "./storage-errors.ts";

/** SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH. */
const SQLITE_REFUSALS = [18, 19, 20];

/** Entries of one kind, which are written together. */
export interface Group<E, R> {
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

export interface Waiting<E, R> {
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

export function batchOf<E, R>(group: Group<E, R>, waiting: readonly Waiting<E, R>[]): Batch {
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
 * each entry, so that a bad entry fails no other.
 */
export async function writeBatches(driver: Driver, batches: readonly Batch[]): Promise<void> {
  try {
    await writeTogether(driver, batches);
  } catch (error) {
    const parts = batches.length > 1 ? batches : batches.flatMap((batch) => batch.split());
    if (parts.length > 1 && isRefusal(error)) {
      for (const part of parts) await writeBatches(driver, [part]);
      return;
    }
    for (const batch of batches) batch.reject(error);
    return;
  }
  for (const batch of batches) batch.resolve();
}

function writeTogether(driver: Driver, batches: readonly Batch[]): Promise<void> {
  const work = function* (): Transaction<void> {
    for (const batch of batches) yield* batch.write();
  };
  const isOneStatement = batches.length === 1 && batches.every((batch) => batch.isOneStatement);
  return isOneStatement ? driver.run(work) : driver.transaction(work);
}

/** Parley or the database refused an entry; the database is not away. */
function isRefusal(error: unknown): boolean {
  const code = sqliteCode(error);
  if (code !== null) return SQLITE_REFUSALS.includes(code);
  if (error instanceof Error && "severity" in error) return error.severity === "ERROR";
  // Besides our own errors: a value that can't be bound.
  return [ProxyError, TypeError, RangeError].some((type) => error instanceof type);
}
