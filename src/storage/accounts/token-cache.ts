import type { Driver } from "../driver/driver.ts";

const MAX_KEPT = 1_000;

/**
 * Tokens as they were last read. Finding one takes 25 of a call's 250 µs; asking SQLite whether another
 * connection has written one takes 3. It is asked once per tick, so a token that any process revokes is
 * refused from the next tick on.
 */
export function createTokenCache<T>(driver: Pick<Driver, "tokensVersion">) {
  const kept = new Map<string, T>();
  let version: number | null = null;
  let askedThisTick = false;
  const endTick = () => {
    askedThisTick = false;
  };
  const askOnce = () => {
    if (askedThisTick) return;
    const current = driver.tokensVersion();
    if (current !== version) kept.clear();
    version = current;
    askedThisTick = true;
    setImmediate(endTick);
  };
  return {
    /** Undefined if another connection has written a token since; then read it before awaiting anything else. */
    get(digest: string): T | undefined {
      askOnce();
      return kept.get(digest);
    },
    keep(digest: string, found: T): void {
      if (version === null) return;
      if (kept.size >= MAX_KEPT) kept.clear();
      kept.set(digest, found);
    },
    /** For this process's own writes, which don't change the database's version. */
    forget: () => kept.clear(),
  };
}
