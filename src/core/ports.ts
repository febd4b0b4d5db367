import type { CallSignal } from "./call/call-signal.ts";
import type { AnswerEvent, ChatRequest, Completion, Usage } from "./call/messages.ts";
import type { ErrorCode } from "./errors.ts";

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

/** The limiter's answer about one client. A refused call has taken nothing from any window. */
export interface LimitDecision {
  readonly admitted: boolean;
  readonly windows: readonly WindowState[];
  /** The window that refuses longest, when refused. */
  readonly refusedBy: WindowState | null;
  /** Until the same call would be admitted; 0 when it was. Milliseconds. */
  readonly retryAfterMs: number;
}

/** Counts calls per bucket over sliding windows. */
export interface Limiter {
  /** Checks all windows and takes one call from each, or from none: one atomic step. */
  take(bucket: string): LimitDecision;
  /** The same answer without taking anything. */
  peek(bucket: string): LimitDecision;
}

/** An amount of something that all calls together may hold: bytes, connections. */
export interface Semaphore {
  /** Takes so much, or nothing where that is not left. */
  take(amount: number): boolean;
  give(amount: number): void;
}

/** Bounds how many answers one bucket holds open at once. */
export interface ConcurrencyLimiter {
  /** Returns the function that gives the place back, or null when all places are taken. */
  enter(bucket: string): (() => void) | null;
  count(bucket: string): number;
}

export interface AskOptions {
  /** The key that pays. Goes into one header of one request and nowhere else. */
  readonly key: string;
  readonly signal: CallSignal;
}

/** The OpenAI-compatible service that answers. Throws ProxyError only. */
export interface Upstream {
  complete(request: ChatRequest, options: AskOptions): Promise<Completion>;
  /** Resolves when the upstream has accepted; from then on nothing may be retried. */
  stream(request: ChatRequest, options: AskOptions): Promise<AsyncIterable<AnswerEvent>>;
}

/** A request that goes upstream as the client put it, but for what Parley has to add. */
export interface RelayRequest {
  readonly method: "GET" | "POST";
  /** Below the upstream's base path. */
  readonly path: string;
  readonly body: string | Uint8Array | null;
  readonly streamed: boolean;
  /** The usage event was asked for by us, so the client is not to see it. */
  readonly hideUsage: boolean;
}

/** What the scanner beside the bytes has read so far. */
export interface RelayAccount {
  readonly model: string | null;
  readonly usage: Usage | null;
  readonly upstreamId: string | null;
}

/** Bytes to pass on; the call is settled before the `last` ones leave. */
export interface RelayPiece {
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

interface RelayHead {
  readonly status: number;
  readonly contentType: string;
}

/** Held until it was there to its end: the ledger row goes before it. */
export interface WholeAnswer extends RelayHead {
  readonly kind: "whole";
  readonly bytes: Uint8Array;
  readonly account: RelayAccount;
}

/** As it comes. */
export interface StreamedAnswer extends RelayHead {
  readonly kind: "streamed";
  readonly pieces: AsyncIterable<RelayPiece>;
  account(): RelayAccount;
}

/** An upstream's good answer, untouched. Which kind it is, the upstream decides. */
export type RelayAnswer = WholeAnswer | StreamedAnswer;

/** The same service, for dialects whose clients speak its language. Throws ProxyError only. */
export interface Relay {
  /** Resolves when the upstream has accepted; from then on nothing may be retried. */
  send(request: RelayRequest, options: AskOptions): Promise<RelayAnswer>;
}

/** How a call ended. */
export type Outcome = "completed" | "interrupted" | "canceled" | "failed" | "refused";

/** What is known of a call once it is over. Never content, never a key. */
export interface CallRecord {
  readonly requestId: string;
  readonly dialect: string;
  readonly bucket: string;
  readonly principal: string;
  readonly model: string;
  readonly answeredBy: string | null;
  readonly usage: Usage | null;
  readonly upstreamId: string | null;
  readonly outcome: Outcome;
  readonly error: ErrorCode | null;
  readonly streamed: boolean;
  readonly firstTokenMs: number | null;
  readonly durationMs: number;
}

/** Is told of every call that reached the pipeline, once, when its outcome is known. */
export type CallObserver = (record: CallRecord) => void;
