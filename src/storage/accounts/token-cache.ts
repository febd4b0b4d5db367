import type { Driver } from "../driver/driver.ts";

const MAX_KEPT = 1_000;

export interface TokenCache<T> {
  /** What was kept, if by this turn of the event loop nobody has written to the database since. */
  get(digest: string): T | undefined;
  /** To be read after `get` has found nothing, and before anything else is waited for. */
  keep(digest: string, found: T): void;
  /** What this process itself changes is not told by the database. */
  forget(): void;
}

/**
 * Tokens as they were last read: finding one takes 25 of a call's 250 µs, and asking SQLite whether
 * anybody else has written since takes 3. Once for all calls of one turn of the event loop: so
 * whoever is revoked, by whatever process, is refused from the next turn on.
 */
export function createTokenCache<T>(driver: Pick<Driver, "version">): TokenCache<T> {
  const kept = new Map<string, T>();
  let version: number | null = null;
  let askedThisTurn = false;
  const endTurn = () => {
    askedThisTurn = false;
  };
  const askOnce = () => {
    if (askedThisTurn) return;
    const current = driver.version();
    if (current !== version) kept.clear();
    version = current;
    askedThisTurn = true;
    setImmediate(endTurn);
  };

  return {
    get(digest) {
      askOnce();
      return kept.get(digest);
    },
    keep(digest, found) {
      if (version === null) return;
      if (kept.size >= MAX_KEPT) kept.clear();
      kept.set(digest, found);
    },
    forget() {
      kept.clear();
    },
  };
}
