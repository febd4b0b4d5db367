import type { Clock } from "../ports.ts";

/** Without a hint from the upstream, how long a key rests: after a limit, and after a refusal. */
const REST_AFTER_LIMIT_MS = 20_000;
const REST_AFTER_REFUSAL_MS = 600_000;
/** A long hint is tried again after this all the same: quotas get raised and clocks are wrong. */
const MAX_REST_MS = 3_600_000;

export type RestReason = "limited" | "refused";

/** The operator's keys: used in turn, rested when the upstream turns one down, back by themselves. */
export interface KeyRing {
  readonly size: number;
  /**
   * The next key that isn't resting and isn't in `tried`, or null. For the first try of a call
   * resting keys count too (the one that is back soonest): a lone key is never locked out by a 429.
   */
  next(tried: ReadonlySet<string>): string | null;
  rest(key: string, reason: RestReason, forMs: number | undefined): void;
  /** The key has just worked. */
  wake(key: string): void;
}

export function createKeyRing(keys: readonly string[], clock: Clock): KeyRing {
  /** By the position of the key. */
  const restsUntilMs = new Float64Array(keys.length);
  const restsUntil = (key: string) => restsUntilMs[keys.indexOf(key)] ?? 0;
  let turn = 0;

  return {
    size: keys.length,
    next(tried) {
      const nowMs = clock.monotonicMs();
      const inTurn = [...keys.slice(turn), ...keys.slice(0, turn)].filter((key) => !tried.has(key));
      const awake = inTurn.find((key) => restsUntil(key) <= nowMs);
      if (awake !== undefined) {
        turn = (keys.indexOf(awake) + 1) % keys.length;
        return awake;
      }
      if (tried.size > 0) return null;
      return inTurn.toSorted((a, b) => restsUntil(a) - restsUntil(b))[0] ?? null;
    },
    rest(key, reason, forMs) {
      const usual = reason === "limited" ? REST_AFTER_LIMIT_MS : REST_AFTER_REFUSAL_MS;
      const restMs = Math.min(forMs ?? usual, MAX_REST_MS);
      restsUntilMs[keys.indexOf(key)] = clock.monotonicMs() + restMs;
    },
    wake(key) {
      if (restsUntil(key) > 0) restsUntilMs[keys.indexOf(key)] = 0;
    },
  };
}
