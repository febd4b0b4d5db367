import type { Token, UsageSource } from "./accounts/accounts.ts";
import type { Units } from "./accounts/units.ts";
import type { CallSignal } from "./call/call.ts";
import type { Usage } from "./call/messages.ts";
import type { ErrorCode } from "./errors.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import type { Named } from "./named.ts";

/** Time as the core sees it. */
export interface Clock {
  /** Never goes back, unaffected by clock steps: for windows and deadlines. Milliseconds. */
  monotonicMs(): number;
  /** Calendar time, for people. Milliseconds since 1970. */
  wallMs(): number;
  /** Resolves after so many milliseconds, or at once when the signal aborts. */
  sleep(ms: number, signal: CallSignal): Promise<void>;
}

export type WindowName = "second" | "minute" | "hour" | "day";

export interface WindowState {
  readonly name: WindowName;
  readonly windowMs: number;
  readonly limit: number;
  readonly remaining: number;
  /** Until the oldest counted call leaves the window (0 when none is counted). Milliseconds. */
  readonly resetMs: number;
}

/** The limiter's decision about one call. A refused call has taken nothing from any window. */
export interface LimitDecision {
  readonly admitted: boolean;
  readonly windows: readonly WindowState[];
  /** The window that refuses longest, when refused. */
  readonly refusedBy: WindowState | null;
  /** Until the same call would be admitted; 0 when it was. Milliseconds. */
  readonly retryAfterMs: number;
  /** For `release`; null if nothing was counted. */
  readonly entry: LimitEntry | null;
  /** Refused because the store that copies share is away, whatever the windows hold. */
  readonly storeAway?: true;
}

/**
 * Counts calls per bucket over sliding windows. This port and the next ones may be remote: a result is
 * a value or a promise of one, and an object, so that a forgotten `await` does not compile. None of
 * them rejects: an implementation whose store is away decides by itself.
 */
export interface Limiter {
  /** Checks all windows and takes one call from each, or from none: one atomic step. */
  take(bucket: string): MaybePromise<LimitDecision>;
  /** The same decision without taking anything. */
  peek(bucket: string): MaybePromise<LimitDecision>;
  /** Gives an admitted call back by the entry of its decision, as if it had never been counted. */
  release(bucket: string, entry: LimitEntry): MaybePromise<void>;
}

/** Names a counted call within its bucket; what it means is up to the limiter. */
export type LimitEntry = string | number;

/** The windows of tokens; each token brings limits of its own. */
export interface TokenLimiter {
  /** Counts a call of the token wherever it comes from; without limits it is always admitted. */
  take(token: Token): MaybePromise<LimitDecision>;
  /** The same decision without taking anything. */
  peek(token: Token): MaybePromise<LimitDecision>;
  /** Gives an admitted call back, as `Limiter` does. */
  release(token: Token, entry: LimitEntry): MaybePromise<void>;
}

/** A sliding minute over amounts, such as tokens: a call takes more than one, and is settled later. */
export interface AmountLimiter {
  /**
   * Takes the amount, or nothing if more than `limit` would be taken in any 60 s. An amount above the
   * limit is refused with a `retryAfterMs` of Infinity. Without a limit (0) it is always admitted.
   */
  take(bucket: string, limit: number, amount: number): MaybePromise<LimitDecision>;
  /** The same decision about an amount of 1, without taking anything. */
  peek(bucket: string, limit: number): MaybePromise<LimitDecision>;
  /** Lowers what was taken to what was used, at the time when it was taken. 0 gives all of it back. */
  settle(bucket: string, entry: LimitEntry, taken: number, used: number): MaybePromise<void>;
}

/** Bounds an amount that all calls together may hold: bytes, connections. */
export interface Semaphore {
  /** Takes this much, or nothing if less is left. */
  take(amount: number): MaybePromise<{ readonly taken: boolean }>;
  give(amount: number): MaybePromise<void>;
}

/** Permission to hold one answer or connection open, or a refusal. */
export type Lease = { readonly entered: true; leave(): void } | { readonly entered: false };

/** Bounds how many answers or connections one bucket holds open at once. */
export interface ConcurrencyLimiter {
  enter(bucket: string): MaybePromise<Lease>;
  count(bucket: string): MaybePromise<{ readonly open: number }>;
}

/** Cooldowns of keys, by a digest of the key. A call waits for no change. */
export interface Cooldowns {
  /** 0 when the key is ready. From memory, also where the store is remote. */
  remainingMs(id: string): number;
  start(id: string, forMs: number): MaybePromise<void>;
  end(id: string): MaybePromise<void>;
}

/** Bounds how many calls of one holder are open at once; each holder brings a limit of its own. */
export interface OpenCallLimiter {
  /** 0 = counted, but without a bound. */
  enter(holder: string, limit: number): MaybePromise<Lease>;
  count(holder: string): MaybePromise<{ readonly open: number }>;
}

/** Rests targets that fail, by an id of the target. A call waits for no change. */
export interface Breakers {
  /**
   * "closed": ask it. "open": do not. "probe": ask it; this call alone, of all instances, decides
   * whether it closes. From memory, except that a probe is won in the store.
   */
  state(id: string): MaybePromise<{ readonly state: "closed" | "open" | "probe" }>;
  /** Until the next probe; 0 unless it is open. Milliseconds, from memory. */
  remainingMs(id: string): number;
  /** `asProbe`: told by the call that won the probe; what others tell changes nothing until then. */
  succeeded(id: string, asProbe?: boolean): MaybePromise<void>;
  failed(id: string, asProbe?: boolean): MaybePromise<void>;
  /** The probe tells nothing: its client has left, or the target was not asked after all. */
  released(id: string, wasAsked: boolean): MaybePromise<void>;
}

/** A whole response, as it is remembered for a repeated call. */
export interface StoredResponse {
  readonly status: number;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** A call that may be repeated. */
export interface NamedCall {
  readonly name: string;
  /** A digest of the request. */
  readonly fingerprint: string;
  /** Whose room the response takes. */
  readonly bucket: string;
  /** Known to the caller and this installation alone: seals what is kept outside of this process. */
  readonly seal: string;
  /** How long the call may take, for whoever waits for it elsewhere. Milliseconds. */
  readonly maxMs: number;
  /** The call's own: ends such a wait. */
  readonly signal: CallSignal;
}

/** Responses by name for a while, so that a repeated call is not spent twice. */
export interface IdempotencyStore {
  /**
   * The response under this name: remembered or under way, else what `ask` returns. Throws
   * `idempotency_mismatch` if the name was used with another request. Failures are not remembered, nor
   * responses for which there is no room.
   */
  once(call: NamedCall, ask: () => Promise<StoredResponse>): Promise<StoredResponse>;
}

/** How a call ended. */
export type Outcome = "completed" | "interrupted" | "canceled" | "failed" | "refused";

/** What is known of a call once it is over. Never content, never a key. */
export type CallRecord = Named<{
  readonly requestId: string;
  readonly dialect: string;
  readonly bucket: string;
  readonly principal: string;
  readonly model: string;
  readonly answeredBy: string | null;
  /** Null if nobody knows it, or if the call cost nothing. */
  readonly usage: Usage | null;
  /** Charged beside tokens. Left out if there are none. */
  readonly units?: Units | undefined;
  readonly provenance: UsageSource;
  readonly upstreamId: string | null;
  readonly outcome: Outcome;
  readonly error: ErrorCode | null;
  /** The window that refused it. Left out if none did. */
  readonly refusedBy?: WindowName | undefined;
  readonly streamed: boolean;
  readonly firstTokenMs: number | null;
  readonly durationMs: number;
  /** Who was asked last, and for which model; null if nobody was. */
  readonly upstream: string | null;
  readonly upstreamModel: string | null;
  /** Requests that were sent for it; 0 when no upstream was asked. */
  readonly tries: number;
}>;

/** Called once per call that reached the pipeline, when its outcome is known. */
export type CallObserver = (record: CallRecord) => void;

/** What is known of the operator beside the settings. */
export interface OperatorRecord {
  /** The chosen token's digest; null: none was chosen. */
  readonly digest: string | null;
  /** The digest of the code that may choose one, until it expires or is used. */
  readonly offered: string | null;
  /** Changes when all sessions are ended. */
  readonly era: string;
}

/** Keeps how the operator signs in, over all copies. */
export interface OperatorStore {
  read(): Promise<OperatorRecord>;
  /** From now on only the code of this digest can choose a token. */
  offer(codeDigest: string, expiresMs: number): Promise<void>;
  /** Uses up the code. False if it is not the one offered last, has expired, or a token is there. */
  choose(codeDigest: string, tokenDigest: string): Promise<boolean>;
  /** Forgets the chosen token and ends all sessions. */
  reset(): Promise<void>;
}
