import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Addresses that are remembered for each kind of token. The one that began first is forgotten first. */
const MAX_ADDRESSES = 10_000;
/** Lines about wrong tokens of the operator in a minute; what comes beyond is counted in the next one. */
const MAX_OPERATOR_LINES = 10;

/** How many wrong tokens an address may send in a span of time. */
interface Bound {
  readonly limit: number;
  readonly spanMs: number;
}

const USUAL: readonly Bound[] = [{ limit: 10, spanMs: MINUTE_MS }];
const OPERATOR: readonly Bound[] = [
  { limit: 5, spanMs: MINUTE_MS },
  { limit: 20, spanMs: HOUR_MS },
];

/** Slows down whoever guesses tokens of one kind. */
export interface GuessBrake {
  /** Counts a token if it is wrong. Throws, also for the right one, while the address must wait. */
  judge(bucket: string, isRight: boolean): void;
  /**
   * The same where it takes time to find out. What is still being looked at counts as wrong, so many
   * guesses at once are no way around.
   */
  decide(bucket: string, isRight: () => Promise<boolean>): Promise<boolean>;
  /** Counts a wrong token. */
  wrong(bucket: string): void;
}

/** A brake for each kind of token, so that a client's old token does not lock the operator out. */
export interface GuessBrakes {
  /** The operator's token and the code of the first start, wherever they are read. */
  readonly admin: GuessBrake;
  readonly metrics: GuessBrake;
  /** Parley tokens and the shared secret. */
  readonly callers: GuessBrake;
}

/** Told of wrong tokens: how many since it was told last, and who sent the latest. */
type OnGuessing = (attempts: number, bucket: string) => void;

export interface GuessBrakesOptions {
  readonly clock: Clock;
  /** Called at most once a minute, and only if an address must wait. */
  readonly onGuessing: OnGuessing;
  /** Called for each wrong token of the operator, ten times a minute at most. */
  readonly onOperatorGuess: OnGuessing;
}

export function createGuessBrakes(options: GuessBrakesOptions): GuessBrakes {
  const { clock, onGuessing, onOperatorGuess } = options;
  const note = createNotes(clock, 1, onGuessing);
  const operator = createNotes(clock, MAX_OPERATOR_LINES, onOperatorGuess);
  return {
    admin: createBrake(clock, OPERATOR, (bucket) => operator(bucket, true)),
    metrics: createBrake(clock, USUAL, note),
    callers: createBrake(clock, USUAL, note),
  };
}

type Note = (bucket: string, mustWait: boolean) => void;

/** Counts attempts, and tells of them so many times a minute at most. */
function createNotes(clock: Clock, maxPerMinute: number, tell: OnGuessing): Note {
  let attempts = 0;
  let told: number[] = [];
  return (bucket, isWorthTelling) => {
    attempts += 1;
    const nowMs = clock.monotonicMs();
    told = told.filter((timeMs) => timeMs > nowMs - MINUTE_MS);
    if (!isWorthTelling || told.length >= maxPerMinute) return;
    tell(attempts, bucket);
    attempts = 0;
    told.push(nowMs);
  };
}

function createBrake(clock: Clock, bounds: readonly Bound[], note: Note): GuessBrake {
  const maxTimes = Math.max(...bounds.map(({ limit }) => limit));
  /** When the latest wrong tokens of each address came, oldest first. */
  const times = new Map<string, number[]>();

  const waitMs = (bucket: string): number => {
    const wrongs = times.get(bucket) ?? [];
    const nowMs = clock.monotonicMs();
    const waits = bounds.map(({ limit, spanMs }) => {
      const firstMs = wrongs[wrongs.length - limit];
      return firstMs === undefined ? 0 : firstMs + spanMs - nowMs;
    });
    return Math.max(0, ...waits);
  };
  const count = (bucket: string): number => {
    const nowMs = clock.monotonicMs();
    const wrongs = [...(times.get(bucket) ?? []), nowMs].slice(-maxTimes);
    if (times.size >= MAX_ADDRESSES && !times.has(bucket)) forgetFirst(times);
    times.set(bucket, wrongs);
    return nowMs;
  };
  const takeBack = (bucket: string, timeMs: number) => {
    const wrongs = times.get(bucket) ?? [];
    const at = wrongs.lastIndexOf(timeMs);
    const left = wrongs.toSpliced(at, at === -1 ? 0 : 1);
    if (left.length === 0) times.delete(bucket);
    else times.set(bucket, left);
  };
  const wrong = (bucket: string) => {
    // whoever waits is not made to wait longer
    if (waitMs(bucket) === 0) count(bucket);
    note(bucket, waitMs(bucket) > 0);
  };
  return {
    wrong,
    judge(bucket, isRight) {
      if (isRight && !times.has(bucket)) return;
      const retryAfterMs = waitMs(bucket);
      if (!isRight) wrong(bucket);
      if (retryAfterMs > 0) throw mustWait(retryAfterMs);
    },
    async decide(bucket, isRight) {
      const retryAfterMs = waitMs(bucket);
      if (retryAfterMs > 0) throw mustWait(retryAfterMs);
      const timeMs = count(bucket);
      const right = await isRight().catch((error: unknown) => {
        takeBack(bucket, timeMs);
        throw error;
      });
      if (right) takeBack(bucket, timeMs);
      else note(bucket, waitMs(bucket) > 0);
      return right;
    },
  };
}

function mustWait(retryAfterMs: number): ProxyError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return new ProxyError("attempts_limited", { params: { wait_seconds: seconds }, retryAfterMs });
}

function forgetFirst(times: Map<string, unknown>): void {
  for (const first of times.keys()) {
    times.delete(first);
    break;
  }
}
