import { ProxyError } from "../../core/errors.ts";
import type { Driver, Script } from "./driver.ts";

/** What is done with entries that are written together. */
export interface Group<E, R> {
  /** Writes them and says what became of each, in their order. */
  readonly script: (entries: readonly E[]) => Script<readonly R[]>;
  /** Whether that is one statement, which needs no transaction around it. */
  readonly isSingle: (entries: readonly E[]) => boolean;
}

export interface Waiting<E, R> {
  readonly entry: E;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** Entries of a group, with those who wait for them. */
export interface Batch {
  readonly isSingle: boolean;
  script(): Script<void>;
  resolve(): void;
  reject(error: unknown): void;
  /** One each. */
  split(): readonly Batch[];
}

export function batchOf<E, R>(group: Group<E, R>, waiting: readonly Waiting<E, R>[]): Batch {
  const entries = waiting.map(({ entry }) => entry);
  let results: readonly R[] = [];
  return {
    isSingle: group.isSingle(entries),
    *script() {
      results = yield* group.script(entries);
    },
    resolve() {
      // a script returns one result an entry
      for (const [at, one] of waiting.entries()) one.resolve(results[at] as R);
    },
    reject(error) {
      for (const one of waiting) one.reject(error);
    },
    split: () => waiting.map((one) => batchOf(group, [one])),
  };
}

/** What cannot be written must not take the rest with it: then each batch goes alone, then each entry. */
export async function writeBatches(driver: Driver, batches: readonly Batch[]): Promise<void> {
  try {
    await run(driver, batches);
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

function run(driver: Driver, batches: readonly Batch[]): Promise<void> {
  const script = function* (): Script<void> {
    for (const batch of batches) yield* batch.script();
  };
  const isSingle = batches.length === 1 && batches.every((batch) => batch.isSingle);
  return isSingle ? driver.single(script) : driver.transaction(script);
}

/** We or the database did not like an entry, as opposed to the database being away. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof ProxyError) return true;
  if ("severity" in error) return error.severity === "ERROR";
  // SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG; and values that cannot be bound.
  if ("errcode" in error && typeof error.errcode === "number") {
    return [18, 19, 20].includes(error.errcode & 0xff);
  }
  return error instanceof TypeError || error instanceof RangeError;
}
