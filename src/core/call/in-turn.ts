import { type ErrorCode, isCanceled, ProxyError, toProxyError } from "../errors.ts";
import type { Breakers, Clock, OpenCallLimiter } from "../ports.ts";
import { type Attempts, MAX_REQUESTS, type PassedBy } from "./attempts.ts";
import type { Target } from "./targets.ts";
import { type Verdict, verdictOn } from "./verdict.ts";

export interface InTurnOptions {
  /** Called when a breaker opens, with why, or closes again (null). */
  readonly onBreaker?: (target: Target, reason: ErrorCode | null) => void;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** A call that has taken so long is not taken to another target. */
  readonly patienceMs: number;
  readonly breakers: Breakers;
  /** Calls that an upstream has open. */
  readonly openCalls: OpenCallLimiter;
}

export interface InTurnCall<T> {
  readonly model: string;
  readonly isOwnKey: boolean;
  /** The request can be sent only once. */
  readonly isOnce: boolean;
  /** The client, even if an answer would be read on. */
  readonly hasLeft: () => boolean;
  /** Asks one target, with its keys and retries. `isFirst`: nothing was asked before it. */
  readonly ask: (target: Target, isFirst: boolean) => Promise<T>;
}

/** A place at an upstream is free again soon: when is unknown. */
const RETRY_BUSY_MS = 1_000;

/**
 * Asks one target after the other until one answers, all before the client's first byte. Those that rest
 * or are full are left out. Throws the last failure, or why nobody could be asked.
 */
export function askInTurn<T>(
  attempts: Attempts,
  call: InTurnCall<T>,
  options: InTurnOptions,
): Promise<T> {
  const [first] = attempts.targets;
  const isAlone = attempts.targets.length === 1 && first?.breaker === null && first.maxOpen === 0;
  return isAlone ? askAlone(attempts, first, call) : askEach(attempts, call, options);
}

/** Where there is one upstream: nothing is counted, and a call pays for nothing of this. */
async function askAlone<T>(attempts: Attempts, target: Target, call: InTurnCall<T>): Promise<T> {
  attempts.target = target;
  try {
    return await call.ask(target, true);
  } catch (thrown) {
    if (verdictOn(toProxyError(thrown), call.model, call.isOwnKey) === "unsent") {
      attempts.target = null;
      attempts.tries = 0;
    }
    throw thrown;
  }
}

async function askEach<T>(
  attempts: Attempts,
  call: InTurnCall<T>,
  options: InTurnOptions,
): Promise<T> {
  const isOverdue = createOverdue(options);
  for (const target of attempts.inTurn) {
    if (isOverdue(attempts)) break;
    const entered = enter(attempts, target, options);
    const entry = entered instanceof Promise ? await entered : entered;
    if (isPassedBy(entry, attempts)) continue;
    const asked: Asked<T> = await askOne(attempts, target, call, entry, options);
    if ("answer" in asked) return asked.answer;
    if (asked.isOver) break;
  }
  throw whyNobody(attempts, options);
}

function createOverdue({ clock, patienceMs }: InTurnOptions) {
  const untilMs = clock.monotonicMs() + patienceMs;
  return ({ tries }: Attempts) => tries >= MAX_REQUESTS || clock.monotonicMs() >= untilMs;
}

type Asked<T> = { readonly answer: T } | { readonly isOver: boolean };

async function askOne<T>(
  attempts: Attempts,
  target: Target,
  call: InTurnCall<T>,
  entry: Asking,
  options: InTurnOptions,
): Promise<Asked<T>> {
  const { target: before, tries } = attempts;
  attempts.target = target;
  try {
    const answer = await call.ask(target, attempts.failure === null);
    if (target.breaker !== null) succeed(target, target.breaker, entry, options);
    return { answer };
  } catch (thrown) {
    attempts.leave();
    const failure = toProxyError(thrown);
    const verdict = verdictOn(failure, target.model ?? call.model, call.isOwnKey);
    tell(target, verdict, failure, entry, options);
    if (verdict === "unsent") {
      attempts.target = before;
      attempts.tries = tries;
      attempts.unsent = failure;
      return { isOver: false };
    }
    attempts.failure = failure;
    const isLeft = call.hasLeft() || isCanceled(failure);
    return { isOver: isLeft || verdict === "final" || call.isOnce };
  }
}

type Asking = "closed" | "probe";
type Entry = Asking | PassedBy;

function isPassedBy(entry: Entry, attempts: Attempts): entry is PassedBy {
  if (entry !== "busy" && entry !== "open") return false;
  if (attempts.passedBy !== "busy") attempts.passedBy = entry;
  return true;
}

/** Where nothing is routed and nothing bounded, no call waits. */
function enter(attempts: Attempts, target: Target, options: InTurnOptions): Entry | Promise<Entry> {
  const isFree = target.maxOpen === 0 && !(attempts.isRouted && target.breaker !== null);
  return isFree ? "closed" : enterBounded(attempts, target, options);
}

/** The breaker comes last: a call that finds no place must not take the probe. */
async function enterBounded(
  attempts: Attempts,
  { breaker, upstream, maxOpen }: Target,
  { breakers, openCalls }: InTurnOptions,
): Promise<Entry> {
  const watched = attempts.isRouted ? breaker : null;
  if (watched !== null && breakers.remainingMs(watched) > 0) return "open";
  if (maxOpen > 0) {
    attempts.lease = await openCalls.enter(upstream, maxOpen);
    if (!attempts.lease.entered) return "busy";
  }
  if (watched === null) return "closed";
  const told = breakers.state(watched);
  const { state } = told instanceof Promise ? await told : told;
  if (state === "open") attempts.leave();
  return state;
}

/** Tells the breaker how the target has done. */
function tell(
  target: Target,
  verdict: Verdict,
  failure: ProxyError,
  entry: Asking,
  options: InTurnOptions,
): void {
  const { breaker } = target;
  if (breaker === null) return;
  const isProbe = entry === "probe";
  if (isCanceled(failure) || verdict === "unsent") {
    if (isProbe) void options.breakers.released(breaker, verdict !== "unsent");
  } else if (verdict === "broken") void fail(target, breaker, failure.code, entry, options);
  // what refuses a request works, and a probe that is answered has found that out
  else if (failure.answered === undefined) {
    if (isProbe) void options.breakers.released(breaker, true);
  } else if (verdict === "final" || isProbe) succeed(target, breaker, entry, options);
}

function succeed(
  target: Target,
  breaker: string,
  entry: Asking,
  { breakers, onBreaker }: InTurnOptions,
): void {
  void breakers.succeeded(breaker, entry === "probe");
  if (entry === "probe") onBreaker?.(target, null);
}

/** Counts a failure, and says so if it was one too many. */
async function fail(
  target: Target,
  breaker: string,
  reason: ErrorCode,
  entry: Asking,
  { breakers, onBreaker }: InTurnOptions,
): Promise<void> {
  const wasClosed = breakers.remainingMs(breaker) === 0;
  await breakers.failed(breaker, entry === "probe");
  if (wasClosed && breakers.remainingMs(breaker) > 0) onBreaker?.(target, reason);
}

/** Empty if the rest that was seen is over by now. */
function shortest(waits: readonly number[]): readonly number[] {
  return waits.length === 0 ? [] : [Math.min(...waits)];
}

/** What a target can't be asked says nothing of those that could be, but not now. */
function whyNobody(attempts: Attempts, { breakers }: InTurnOptions): ProxyError {
  const { targets, failure, unsent, passedBy } = attempts;
  if (failure !== null) return failure;
  if (unsent !== null && passedBy === null) return unsent;
  if (passedBy === "busy") return new ProxyError("upstream_busy", { retryAfterMs: RETRY_BUSY_MS });
  const waits = targets
    .map(({ breaker }) => (breaker === null ? 0 : breakers.remainingMs(breaker)))
    .filter((ms) => ms > 0);
  const soonest = targets.length === 0 ? undefined : Math.max(RETRY_BUSY_MS, ...shortest(waits));
  return new ProxyError("upstream_unavailable", { retryAfterMs: soonest });
}
