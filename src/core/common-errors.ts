import { type ErrorCode, type ErrorParams, ProxyError } from "./errors.ts";
import type { Clock, LimitDecision } from "./ports.ts";

/** An error about one field of the request, named in its text and for programs. */
export function fieldError(code: ErrorCode, field: string, params: ErrorParams = {}): ProxyError {
  return new ProxyError(code, { params: { field, ...params }, details: { field } });
}

/**
 * A refusal by the limits: which window, how many calls, when the next one is admitted. Or why nothing
 * can be counted.
 */
export function rateLimited(decision: LimitDecision, clock: Clock): ProxyError {
  const { refusedBy, retryAfterMs, storeAway } = decision;
  if (storeAway) return new ProxyError("limits_unavailable", { retryAfterMs });
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  const limit = refusedBy?.limit ?? 0;
  const window = refusedBy?.name ?? "";
  return new ProxyError("rate_limited", {
    params: { limit, window, wait_seconds: seconds },
    details: {
      window,
      limit,
      retry_after_seconds: seconds,
      reset_at: new Date(clock.wallMs() + retryAfterMs).toISOString(),
    },
    retryAfterMs,
  });
}

/** A database comes back within seconds or stays away for long; clients retry soon. */
const RETRY_STORAGE_MS = 2_000;

/** For a storage call without which nothing can be decided: its failure becomes our own 503. */
export function storageUnavailable(error: unknown): never {
  if (error instanceof ProxyError && error.code !== "internal") throw error;
  throw new ProxyError("storage_unavailable", { retryAfterMs: RETRY_STORAGE_MS, cause: error });
}
