import { ProxyError } from "../core/errors.ts";

/** Entries waiting for a database that does not answer; above it callers are refused. */
const mostWaiting = 10_000;

interface Waiting<E, R> {
  readonly entry: E;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: entries of one turn of the event loop are written together, and while one group
 * is written the next gathers. Each caller waits until its own entry is durable. More than 64 in
 * one transaction would make the first one wait for little gain.
 */
export function createGroup<E, R>(
  write: (entries: readonly E[]) => Promise<readonly R[]>,
  mostTogether = 64,
): (entry: E) => Promise<R> {
  let waiting: Waiting<E, R>[] = [];
  let busy = false;

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = waiting.slice(0, mostTogether);
      waiting = waiting.slice(mostTogether);
      await settleGroup(group, write);
    }
    busy = false;
  };

  return (entry) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= mostWaiting) {
        reject(new ProxyError("internal", { cause: new Error("the database does not keep up") }));
        return;
      }
      waiting.push({ entry, resolve, reject });
      if (busy) return;
      busy = true;
      setImmediate(() => void drain());
    });
}

/** One entry that cannot be written must not take the others with it: then each goes alone. */
async function settleGroup<E, R>(
  group: readonly Waiting<E, R>[],
  write: (entries: readonly E[]) => Promise<readonly R[]>,
): Promise<void> {
  try {
    const results = await write(group.map((one) => one.entry));
    group.forEach((one, at) => {
      // `write` returns one result an entry.
      one.resolve(results[at] as R);
    });
  } catch (error) {
    if (group.length > 1 && isRefusal(error)) {
      for (const one of group) await settleGroup([one], write);
      return;
    }
    for (const one of group) one.reject(error);
  }
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
