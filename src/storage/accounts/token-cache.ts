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
  let cleared = 0;
  const clear = () => {
    cleared += 1;
    kept.clear();
  };
  const endTick = () => {
    askedThisTick = false;
  };
  const askOnce = () => {
    if (askedThisTick) return;
    const current = driver.tokensVersion();
    if (current !== version) clear();
    version = current;
    askedThisTick = true;
    setImmediate(endTick);
  };
  return {
    /** Undefined if a token has been written since. */
    get(digest: string): T | undefined {
      askOnce();
      return kept.get(digest);
    },
    /** To be taken before the database is read, and given to `keep`. */
    moment: () => cleared,
    /** Unless a token may have been written since that moment. */
    keep(digest: string, found: T, moment: number): void {
      if (version === null || moment !== cleared) return;
      if (kept.size >= MAX_KEPT) kept.clear();
      kept.set(digest, found);
    },
    /** For this process's own writes, which don't change the database's version. */
    forget: clear,
  };
}
