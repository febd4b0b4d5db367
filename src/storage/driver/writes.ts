import { ProxyError } from "../../core/errors.ts";
import { type Batch, batchOf, type Group, type Waiting, writeBatches } from "./batch.ts";
import type { Driver } from "./driver.ts";

/** How a group's entries are spread over the connections to Postgres. */
export interface Spread<E> {
  /** Entries of one subject stay in one lane. Its last character is to be random. */
  readonly subjectOf: (entry: E) => string;
  readonly lanes: number;
  /** Few in one transaction: each may be a round trip during which rows are locked. */
  readonly maxBatch: number;
}

export interface Writes {
  /** Each caller waits until its own entry is durable. */
  group<E, R>(group: Group<E, R>, spread: Spread<E>): (entry: E) => Promise<R>;
}

/** More in one transaction would make the first one wait for little gain. */
export const MAX_BATCH = 64;
/** Entries of a group waiting for a database that does not answer; above it callers are refused. */
const MAX_WAITING = 10_000;

/**
 * Group commit: entries of one turn of the event loop are written together, and while some are
 * written the next gather. On SQLite, where only one can write, those of all groups share a commit.
 */
export function createWrites(driver: Driver): Writes {
  const shared = createLane(driver);
  return {
    group(group, { subjectOf, lanes, maxBatch }) {
      if (driver.kind === "sqlite") return shared(group, MAX_BATCH);
      const adds = Array.from({ length: lanes }, () => createLane(driver)(group, maxBatch));
      return (entry) => {
        const add = adds[(subjectOf(entry).at(-1)?.charCodeAt(0) ?? 0) % lanes];
        if (add === undefined) throw new RangeError("there are no lanes");
        return add(entry);
      };
    },
  };
}

/** One transaction at a time, with what waits in all of its groups. */
function createLane(driver: Driver) {
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
      const together = waiting.slice(0, maxBatch);
      waiting = waiting.slice(maxBatch);
      return batchOf(group, together);
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
