import { storageUnavailable } from "../../core/common-errors.ts";
import type { Conversations } from "../../core/conversations/conversations.ts";
import { ProxyError } from "../../core/errors.ts";

/** The same store, whose database being away is our own 503 instead of a stranger's error. */
export function guarded(conversations: Conversations): Conversations {
  const entries = Object.entries(conversations).map(([name, method]) => [name, guard(method)]);
  // the same methods under the same names
  return Object.fromEntries(entries) as Conversations;
}

type Method = (...args: never[]) => unknown;

function guard(method: Method): Method {
  return (...args) => {
    const result = method(...args);
    return result instanceof Promise ? result.catch(unavailable) : result;
  };
}

function unavailable(error: unknown): never {
  if (error instanceof ProxyError) throw error;
  return storageUnavailable(error);
}
