import type { Driver } from "./driver.ts";

const MOST_KEPT = 1_000;

export interface TokenCache<T> {
  /** What was kept, if nobody has written to the database since. */
  get(digest: string): T | undefined;
  /** To be read after `get` has found nothing, and before anything else is waited for. */
  keep(digest: string, found: T): void;
  /** What this process itself changes is not told by the database. */
  forget(): void;
}

/**
 * Tokens as they were last read: finding one takes 25 of a call's 250 µs, and asking SQLite whether
 * anybody else has written since takes 2. So whoever is revoked, by whatever process, is refused at
 * once all the same.
 */
export function createTokenCache<T>(driver: Pick<Driver, "version">): TokenCache<T> {
  const kept = new Map<string, T>();
  let version: number | null = null;

  return {
    get(digest) {
      const current = driver.version();
      if (current !== version) kept.clear();
      version = current;
      return kept.get(digest);
    },
    keep(digest, found) {
      if (version === null) return;
      if (kept.size >= MOST_KEPT) kept.clear();
      kept.set(digest, found);
    },
    forget() {
      kept.clear();
    },
  };
}
