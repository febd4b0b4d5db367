import { fieldError } from "../common-errors.ts";
import { abortReason, type ErrorCode, ProxyError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import { type Attempts, MAX_REQUESTS } from "./attempts.ts";
import type { CallSignal } from "./call.ts";
import type { KeyRing } from "./key-ring.ts";

/** Pause before the first retry; doubled each time. Short, because a person is waiting. */
const FIRST_PAUSE_MS = 100;

export interface KeySource {
  /** Null when no (further) key is left to try. */
  next(tried: ReadonlySet<string>): string | null;
  /** Learns which keys work; null for a caller's own key, of which nothing is kept. */
  readonly ring: KeyRing | null;
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly signal: CallSignal;
  /** Nothing is asked anew for a client that has left. */
  readonly hasLeft: () => boolean;
  readonly retries: number;
  /** Counts the requests of the call. */
  readonly attempts: Pick<Attempts, "tries"> & Partial<Pick<Attempts, "isKept">>;
}

/**
 * Asks one target until an attempt succeeds or nothing is left to try. An attempt must fail before the
 * client gets its first byte: what has begun is never repeated. A key that is turned down cools down,
 * and the next one is tried at once. A transient failure is tried again after a pause.
 */
export async function askWithRetries<T>(
  keys: KeySource,
  attempt: (key: string) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const tried = new Set<string>();
  let key = keys.next(tried);
  if (key === null) throw fieldError("key_missing", "api_key");
  for (let failures = 0; ; ) {
    try {
      options.attempts.tries += 1;
      const result = await attempt(key);
      keys.ring?.restore(key);
      return result;
    } catch (thrown) {
      const error = failureOf(thrown, options.signal);
      const other = otherKey(keys, key, tried, error, options.attempts);
      if (options.attempts.tries >= MAX_REQUESTS || options.hasLeft()) throw error;
      if (other === null) await pause(error, failures++, options);
      else key = other;
    }
  }
}

/** Throws what no other attempt can help. */
function failureOf(thrown: unknown, signal: CallSignal): ProxyError {
  if (!(thrown instanceof ProxyError) || signal.aborted) throw thrown;
  return thrown;
}

/**
 * The key to use after one was turned down, which cools down, or after one whose account does not know what
 * is kept; null if the key was not to blame.
 */
function otherKey(
  keys: KeySource,
  key: string,
  tried: Set<string>,
  error: ProxyError,
  { isKept = false }: RetryOptions["attempts"],
): string | null {
  const reason = cooldownReason(error.code);
  if (reason === null && !(isKept && isUnknown(error))) return null;
  tried.add(key);
  if (reason !== null) keys.ring?.coolDown(key, reason, error.retryAfterMs);
  const other = keys.next(tried);
  if (other === null) throw error;
  return other;
}

/** Before the same key is tried again; throws the error if that can't help. */
async function pause(
  error: ProxyError,
  failures: number,
  { clock, signal, hasLeft, retries }: RetryOptions,
): Promise<void> {
  if (!isTransient(error) || failures >= retries) throw error;
  await clock.sleep(FIRST_PAUSE_MS * 2 ** failures, signal);
  if (signal.aborted) throw abortReason(signal);
  if (hasLeft()) throw error;
}

/** The account of the key has no such thing. */
function isUnknown({ details, answered }: ProxyError): boolean {
  return details.upstream_status === 404 || answered?.code === "previous_response_not_found";
}

function cooldownReason(code: ErrorCode): "limited" | "refused" | null {
  if (code === "upstream_rate_limited") return "limited";
  return code === "key_rejected" || code === "key_exhausted" ? "refused" : null;
}

/** The upstream was not reached, or says that the fault is its own. */
function isTransient(error: ProxyError): boolean {
  if (error.code === "upstream_unreachable") return true;
  return error.code === "upstream_failed" && Number(error.details.upstream_status) >= 500;
}
