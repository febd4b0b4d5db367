import { type ErrorCode, isCanceled, ProxyError, toProxyError } from "../errors.ts";
import type { Breakers, Clock, OpenCallLimiter } from "../ports.ts";
import { type Attempts, MAX_REQUESTS } from "./attempts.ts";
import type { Target } from "./targets.ts";
import { verdictOn, wasNeverSent } from "./verdict.ts";

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
export async function askInTurn<T>(
  attempts: Attempts,
  call: InTurnCall<T>,
  options: InTurnOptions,
): Promise<T> {
  let failure: ProxyError | null = null;
  let isBusy = false;
  const isOverdue = createOverdue(options);
  for (const target of attempts.targets) {
    if (failure !== null && isOverdue(attempts)) break;
    const entry = await enter(attempts, target, options);
    isBusy ||= entry === "busy";
    if (entry === "busy" || entry === "open") continue;
    attempts.target = target;
    const isFirst: boolean = failure === null;
    const asked: Asked<T> = await askOne(attempts, target, isFirst, call, entry, options);
    if ("answer" in asked) return asked.answer;
    ({ failure } = asked);
    if (asked.isOver) break;
  }
  throw failure ?? nobody(attempts, isBusy, options.breakers);
}

function createOverdue({ clock, patienceMs }: InTurnOptions) {
  const untilMs = clock.monotonicMs() + patienceMs;
  return ({ tries }: Attempts) => tries >= MAX_REQUESTS || clock.monotonicMs() >= untilMs;
}

type Asked<T> = { readonly answer: T } | { readonly failure: ProxyError; readonly isOver: boolean };

async function askOne<T>(
  attempts: Attempts,
  target: Target,
  isFirst: boolean,
  call: InTurnCall<T>,
  entry: Entry,
  options: InTurnOptions,
): Promise<Asked<T>> {
  try {
    const answer = await call.ask(target, isFirst);
    if (target.breaker !== null) void options.breakers.succeeded(target.breaker);
    if (entry === "probe") options.onBreaker?.(target, null);
    return { answer };
  } catch (thrown) {
    attempts.leave();
    const failure = toProxyError(thrown);
    if (wasNeverSent(failure)) attempts.tries -= 1;
    return { failure, isOver: isOver(failure, target, call, entry, options) };
  }
}

/** How a call comes to a target: it is "open" while it rests, and "busy" while it is full. */
type Entry = "closed" | "probe" | "open" | "busy";

async function enter(
  attempts: Attempts,
  target: Target,
  { breakers, openCalls }: InTurnOptions,
): Promise<Entry> {
  let state: Entry = "closed";
  if (attempts.isRouted && target.breaker !== null) {
    const told = breakers.state(target.breaker);
    ({ state } = told instanceof Promise ? await told : told);
  }
  if (state === "open" || target.maxOpen === 0) return state;
  attempts.lease = await openCalls.enter(target.upstream, target.maxOpen);
  return attempts.lease.entered ? state : "busy";
}

/** Tells the breaker; true if nobody else is to be asked. */
function isOver<T>(
  failure: ProxyError,
  target: Target,
  call: InTurnCall<T>,
  entry: Entry,
  options: InTurnOptions,
): boolean {
  const { model, breaker } = target;
  if (call.hasLeft() || isCanceled(failure)) return true;
  const verdict = verdictOn(failure, model ?? call.model, call.isOwnKey);
  // what refuses a request works, and a probe that is answered has found that out
  const works = verdict === "final" || (verdict === "elsewhere" && entry === "probe");
  if (breaker !== null && works) void options.breakers.succeeded(breaker);
  if (works && entry === "probe") options.onBreaker?.(target, null);
  if (breaker !== null && verdict === "broken") void fail(target, breaker, failure.code, options);
  return verdict === "final" || call.isOnce;
}

/** Counts a failure, and says so if it was one too many. */
async function fail(
  target: Target,
  breaker: string,
  reason: ErrorCode,
  { breakers, onBreaker }: InTurnOptions,
): Promise<void> {
  const wasClosed = breakers.remainingMs(breaker) === 0;
  await breakers.failed(breaker);
  if (wasClosed && breakers.remainingMs(breaker) > 0) onBreaker?.(target, reason);
}

function nobody({ targets }: Attempts, isBusy: boolean, breakers: Breakers): ProxyError {
  if (isBusy) return new ProxyError("upstream_busy", { retryAfterMs: RETRY_BUSY_MS });
  const waits = targets.map(({ breaker }) =>
    breaker === null ? 0 : breakers.remainingMs(breaker),
  );
  const soonest = waits.length === 0 ? undefined : Math.max(RETRY_BUSY_MS, Math.min(...waits));
  return new ProxyError("upstream_unavailable", { retryAfterMs: soonest });
}
