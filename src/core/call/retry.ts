import { abortReason, type ErrorCode, ProxyError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import type { CallSignal } from "./call-signal.ts";
import type { KeyRing } from "./key-ring.ts";

/** First pause before asking again; doubled each time. Short: a person is waiting. */
const FIRST_PAUSE_MS = 100;

export interface KeySource {
  /** Null when there is no (further) key to try. */
  next(tried: ReadonlySet<string>): string | null;
  /** Learns which keys work; null for a caller's own key, of which nothing is kept. */
  readonly ring: KeyRing | null;
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly signal: CallSignal;
  /** How often a passing failure is tried again; changing to another key is not counted. */
  readonly retries: number;
}

/**
 * Asks until an attempt succeeds or nothing is left to try. An attempt must fail before the client
 * has got its first byte: what has begun is never repeated. A key that is turned down rests and the
 * next one is tried at once; a passing failure is tried again after a pause.
 */
export async function askWithRetries<T>(
  keys: KeySource,
  attempt: (key: string) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const tried = new Set<string>();
  let key = keys.next(tried);
  if (key === null) throw new ProxyError("key_missing", { details: { field: "api_key" } });
  for (let failures = 0; ; ) {
    try {
      const result = await attempt(key);
      keys.ring?.wake(key);
      return result;
    } catch (thrown) {
      const error = ifWorthAnotherTry(thrown, failures, options);
      const another = otherKey(keys, key, tried, error);
      if (another === null) {
        await options.clock.sleep(FIRST_PAUSE_MS * 2 ** failures, options.signal);
        if (options.signal.aborted) throw abortReason(options.signal);
        failures += 1;
      } else {
        key = another;
      }
    }
  }
}

/** The failure, when trying again may help; otherwise it is thrown on. */
function ifWorthAnotherTry(
  thrown: unknown,
  failures: number,
  { signal, retries }: RetryOptions,
): ProxyError {
  if (!(thrown instanceof ProxyError) || signal.aborted) throw thrown;
  if (restReason(thrown.code) !== null) return thrown;
  if (isPassing(thrown) && failures < retries) return thrown;
  throw thrown;
}

/** Another key in place of one that was turned down; null when the key was not to blame. */
function otherKey(
  keys: KeySource,
  key: string,
  tried: Set<string>,
  error: ProxyError,
): string | null {
  const reason = restReason(error.code);
  if (reason === null) return null;
  tried.add(key);
  keys.ring?.rest(key, reason, error.retryAfterMs);
  const another = keys.next(tried);
  if (another === null) throw error;
  return another;
}

function restReason(code: ErrorCode): "limited" | "refused" | null {
  if (code === "upstream_rate_limited") return "limited";
  return code === "key_rejected" || code === "key_exhausted" ? "refused" : null;
}

/** Nothing was answered yet, or the upstream says it is its own fault. */
function isPassing(error: ProxyError): boolean {
  if (error.code === "upstream_unreachable") return true;
  return error.code === "upstream_failed" && Number(error.details.upstream_status) >= 500;
}
