import { fieldError } from "../common-errors.ts";
import { abortReason, type ErrorCode, isCanceled, ProxyError, toProxyError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import type { AskOptions, SentRequests } from "../upstream-ports.ts";
import type { Call, CallSignal, KeyAccount, Principal } from "./call.ts";
import type { DisconnectPolicy } from "./disconnect-policy.ts";
import { NOTHING_SEEN } from "./estimate.ts";
import type { KeyRing } from "./key-ring.ts";
import type { Settle } from "./settle.ts";

/** Pause before the first retry; doubled each time. Short, because a person is waiting. */
const FIRST_PAUSE_MS = 100;

export interface AskingOptions {
  readonly keyRing: KeyRing;
  /** How often a transient failure is tried again; changing to another key is not counted. */
  readonly retries: number;
  readonly disconnectPolicy: DisconnectPolicy;
  readonly clock: Clock;
}

/** Asks with the right key; a failure is settled and thrown as the caller should see it. */
export type Ask = <T>(
  call: Call,
  settle: Settle,
  attempt: (how: AskOptions) => Promise<T>,
  /** 0: the request can be sent only once. Left out: as often as usual. */
  retries?: number,
) => Promise<T>;

export function createAsk(options: AskingOptions): Ask {
  const { keyRing, disconnectPolicy, clock } = options;
  return async function ask(call, settle, attempt, retries = options.retries) {
    const { principal } = call;
    const signal = disconnectPolicy.signalFor(call.signal);
    const retry = { clock, signal, retries };
    const sent: SentRequests = { unrefused: 0 };
    const account = accountOf(principal);
    try {
      const keys = keysOf(principal, keyRing);
      const { room } = call;
      return await askWithRetries(
        keys,
        (key) => attempt({ key, account, signal, room, sent }),
        retry,
      );
    } catch (thrown) {
      const failure = toProxyError(thrown);
      const error = asSeenBy(principal, failure);
      if (error.answered !== undefined) call.onAnswered?.(error.answered);
      const seen = mayHaveCost(sent, failure) ? NOTHING_SEEN : undefined;
      await settle(isCanceled(error) ? "canceled" : "failed", { error, account: seen });
      throw error;
    }
  };
}

/** A request that went out may have been served, unless the upstream has answered with an error. */
function mayHaveCost({ unrefused }: SentRequests, { details }: ProxyError): boolean {
  return unrefused > 0 && details.upstream_status === undefined;
}

/** A rejected key is the caller's error if it is their own; the operator's is ours, its text hidden. */
export function asSeenBy(principal: Principal, error: ProxyError): ProxyError {
  if (principal.kind === "own-key") return error;
  const { code, answered, retryAfterMs } = error;
  if (code === "key_rejected") return new ProxyError("upstream_key_rejected", { answered });
  if (code !== "key_exhausted") return error;
  return new ProxyError("upstream_exhausted", { answered, retryAfterMs });
}

export interface KeySource {
  /** Null when no (further) key is left to try. */
  next(tried: ReadonlySet<string>): string | null;
  /** Learns which keys work; null for a caller's own key, of which nothing is kept. */
  readonly ring: KeyRing | null;
}

function keysOf(principal: Principal, ring: KeyRing): KeySource {
  const own = ownKey(principal);
  if (own === null) return { next: (tried) => ring.next(tried), ring };
  return { next: (tried) => (tried.size === 0 ? own : null), ring: null };
}

function accountOf(principal: Principal): KeyAccount | undefined {
  return principal.kind === "own-key" ? principal.account : undefined;
}

/** The key for this principal alone: sent with the call, or kept with a token. */
function ownKey(principal: Principal): string | null {
  if (principal.kind === "own-key") return principal.key;
  return principal.kind === "token" ? principal.found.upstreamKey() : null;
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly signal: CallSignal;
  readonly retries: number;
}

/**
 * Asks until an attempt succeeds or nothing is left to try. An attempt must fail before the client
 * gets its first byte: what has begun is never repeated. A key that is turned down cools down, and
 * the next one is tried at once. A transient failure is tried again after a pause.
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
      const result = await attempt(key);
      keys.ring?.restore(key);
      return result;
    } catch (thrown) {
      if (!(thrown instanceof ProxyError) || options.signal.aborted) throw thrown;
      const other = otherKey(keys, key, tried, thrown);
      if (other === null) await pause(thrown, failures++, options);
      else key = other;
    }
  }
}

/** The key to use after one was turned down, which cools down; null if the key was not to blame. */
function otherKey(
  keys: KeySource,
  key: string,
  tried: Set<string>,
  error: ProxyError,
): string | null {
  const reason = cooldownReason(error.code);
  if (reason === null) return null;
  tried.add(key);
  keys.ring?.coolDown(key, reason, error.retryAfterMs);
  const other = keys.next(tried);
  if (other === null) throw error;
  return other;
}

/** Before the same key is tried again; throws the error if that can't help. */
async function pause(
  error: ProxyError,
  failures: number,
  { clock, signal, retries }: RetryOptions,
): Promise<void> {
  if (!isTransient(error) || failures >= retries) throw error;
  await clock.sleep(FIRST_PAUSE_MS * 2 ** failures, signal);
  if (signal.aborted) throw abortReason(signal);
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
