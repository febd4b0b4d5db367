import { ProxyError } from "./errors.ts";

/** A database comes back within seconds or stays away for long; clients ask again soon. */
const RETRY_STORAGE_MS = 2_000;

/** For a storage call without which nothing can be decided: what it throws is our own 503. */
export function storageUnavailable(error: unknown): never {
  if (error instanceof ProxyError && error.code !== "internal") throw error;
  throw new ProxyError("storage_unavailable", { retryAfterMs: RETRY_STORAGE_MS, cause: error });
}
