import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";

/** Wrong tokens that an address may send in a minute. */
const MAX_WRONG_PER_MINUTE = 10;
const MINUTE_MS = 60_000;
/** Addresses that are remembered for each kind of token. The one that began first is forgotten first. */
const MAX_ADDRESSES = 10_000;

/** Slows down whoever guesses tokens of one kind. */
export interface GuessBrake {
  /** Counts a token if it is wrong. Throws, also for the right one, while the address must wait. */
  judge(bucket: string, isRight: boolean): void;
  /** Counts a wrong token. */
  wrong(bucket: string): void;
}

/** A brake for each kind of token, so that a client's old token does not lock the operator out. */
export interface GuessBrakes {
  /** ADMIN_TOKEN, wherever it is read. */
  readonly admin: GuessBrake;
  readonly metrics: GuessBrake;
  /** Parley tokens and the shared secret. */
  readonly callers: GuessBrake;
}

export interface GuessBrakesOptions {
  readonly clock: Clock;
  /** Called at most once a minute, with the wrong tokens of all addresses since the last time. */
  readonly onGuessing: (attempts: number, bucket: string) => void;
}

export function createGuessBrakes({ clock, onGuessing }: GuessBrakesOptions): GuessBrakes {
  let attempts = 0;
  let toldMs = Number.NEGATIVE_INFINITY;
  const note = (bucket: string, mustWait: boolean) => {
    attempts += 1;
    const nowMs = clock.monotonicMs();
    if (!mustWait || nowMs - toldMs < MINUTE_MS) return;
    onGuessing(attempts, bucket);
    attempts = 0;
    toldMs = nowMs;
  };
  const create = () => createBrake(clock, note);
  return { admin: create(), metrics: create(), callers: create() };
}

function createBrake(clock: Clock, note: (bucket: string, mustWait: boolean) => void): GuessBrake {
  /** When the latest wrong tokens of each address came, the first of them first. */
  const times = new Map<string, number[]>();

  const recent = (bucket: string): number[] => {
    const sinceMs = clock.monotonicMs() - MINUTE_MS;
    return (times.get(bucket) ?? []).filter((timeMs) => timeMs > sinceMs);
  };
  const wrong = (bucket: string) => {
    const wrongs = recent(bucket);
    if (wrongs.length < MAX_WRONG_PER_MINUTE) wrongs.push(clock.monotonicMs());
    if (times.size >= MAX_ADDRESSES && !times.has(bucket)) forgetFirst(times);
    times.set(bucket, wrongs);
    note(bucket, wrongs.length === MAX_WRONG_PER_MINUTE);
  };
  return {
    wrong,
    judge(bucket, isRight) {
      if (isRight && !times.has(bucket)) return;
      const wrongs = recent(bucket);
      if (!isRight) wrong(bucket);
      const [firstMs = 0] = wrongs;
      if (wrongs.length < MAX_WRONG_PER_MINUTE) return;
      const retryAfterMs = firstMs + MINUTE_MS - clock.monotonicMs();
      const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
      throw new ProxyError("attempts_limited", { params: { wait_seconds: seconds }, retryAfterMs });
    },
  };
}

function forgetFirst(times: Map<string, unknown>): void {
  for (const first of times.keys()) {
    times.delete(first);
    break;
  }
}
