import type { Cooldowns } from "../ports.ts";

/** How long a key rests if the upstream gives no hint: after a limit, and after a refusal. */
const AFTER_LIMIT_MS = 10_000;
const AFTER_REFUSAL_MS = 600_000;
/** A longer hint is cut to this: quotas get raised and clocks are wrong. */
const MAX_COOLDOWN_MS = 3_600_000;

export type CooldownReason = "limited" | "refused";

/** The operator's keys: used in turn; one that is turned down cools down and returns by itself. */
export interface KeyRing {
  readonly size: number;
  /**
   * The next key that is neither cooling down nor in `tried`, or null. The first try of a call may
   * also use a cooling key (the one that returns soonest): a 429 never locks out a lone key.
   */
  next(tried: ReadonlySet<string>): string | null;
  /** Until one of them is ready; 0 if one is. Milliseconds. */
  restMs(): number;
  coolDown(key: string, reason: CooldownReason, forMs: number | undefined): void;
  /** The key has just worked. */
  restore(key: string): void;
}

export interface KeyCooldown {
  /** In the list of keys, from 1. */
  readonly position: number;
  readonly reason: CooldownReason;
  readonly ms: number;
}

/** Cooldowns are kept under a digest of the key: their store never sees a key. */
export function createKeyRing(
  keys: readonly string[],
  cooldowns: Cooldowns,
  digestKey: (key: string) => string,
  /** Called when a key that was ready cools down. */
  onCoolDown: (cooldown: KeyCooldown) => void = () => undefined,
): KeyRing {
  const digests = new Map(keys.map((key) => [key, digestKey(key)]));
  const idOf = (key: string) => digests.get(key) ?? "";
  const remaining = (key: string) => cooldowns.remainingMs(idOf(key));
  let turn = 0;

  return {
    size: keys.length,
    next(tried) {
      const inTurn = [...keys.slice(turn), ...keys.slice(0, turn)].filter((key) => !tried.has(key));
      const ready = inTurn.find((key) => remaining(key) === 0);
      if (ready !== undefined) {
        turn = (keys.indexOf(ready) + 1) % keys.length;
        return ready;
      }
      if (tried.size > 0) return null;
      return inTurn.toSorted((a, b) => remaining(a) - remaining(b))[0] ?? null;
    },
    restMs: () => (keys.length === 0 ? 0 : Math.min(...keys.map(remaining))),
    coolDown(key, reason, forMs) {
      const usual = reason === "limited" ? AFTER_LIMIT_MS : AFTER_REFUSAL_MS;
      const ms = Math.min(forMs ?? usual, MAX_COOLDOWN_MS);
      if (remaining(key) === 0) onCoolDown({ position: keys.indexOf(key) + 1, reason, ms });
      void cooldowns.start(idOf(key), ms);
    },
    restore(key) {
      if (remaining(key) > 0) void cooldowns.end(idOf(key));
    },
  };
}
