import { storageUnavailable } from "../../core/common-errors.ts";
import type { Conversations } from "../../core/conversations/conversations.ts";
import { ProxyError } from "../../core/errors.ts";

type Method = (...args: never[]) => unknown;

/** The same store, but an error of the database becomes our own 503. */
export function withStorageErrors(conversations: Conversations): Conversations {
  const guard =
    (method: Method): Method =>
    (...args) => {
      const result = method(...args);
      return result instanceof Promise ? result.catch(unavailable) : result;
    };
  const entries = Object.entries(conversations).map(([name, method]) => [name, guard(method)]);
  // The same methods under the same names.
  return Object.fromEntries(entries) as Conversations;
}

function unavailable(error: unknown): never {
  if (error instanceof ProxyError) throw error;
  return storageUnavailable(error);
}

export const SQLITE_BUSY = 5;

/** SQLite's primary result code, or null for another error. Extended codes have it in the low byte. */
export function sqliteCode(error: unknown): number | null {
  const code = error instanceof Error && "errcode" in error ? error.errcode : null;
  return typeof code === "number" ? code & 0xff : null;
}
