import type pg from "pg";
import { storageProblem } from "./storage-errors.ts";

/** After a refusal, the sessions that are there serve alone for this long. */
const GROW_PAUSE_MS = 1_000;
/** Without a session, the server is asked this often. */
const RETRY_MS = 200;
/** While work ends at least this often, a pool is small and not stuck. */
const STALL_MS = 900;
/** Of a small pool, too. */
const MAX_WAIT_MS = 10_000;

/**
 * Takes a session of the pool. A server that has no connection left refuses a new one, but those that
 * are there serve one work after the other: fewer sessions are slower, and no failure. Rejects with the
 * refusal if none becomes free.
 */
export function createPatientConnect(
  pool: pg.Pool,
  nowMs: () => number,
): () => Promise<pg.PoolClient> {
  const waiting = new Set<() => void>();
  let refusal: { readonly error: unknown; untilMs: number } | null = null;
  let releasedMs = Number.NEGATIVE_INFINITY;
  pool.on("release", () => {
    releasedMs = nowMs();
    waiting.values().next().value?.();
  });
  const freed = () =>
    new Promise<void>((resolve) => {
      const go = () => {
        clearTimeout(timer);
        waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, RETRY_MS);
      waiting.add(go);
    });
  const isHopeless = (sinceMs: number) =>
    nowMs() - Math.max(sinceMs, releasedMs) >= STALL_MS || nowMs() - sinceMs >= MAX_WAIT_MS;
  /** Null: refused for lack of connections. */
  const tryOnce = async () => {
    const before = pool.totalCount;
    try {
      const client = await pool.connect();
      if (pool.totalCount > before) refusal = null;
      return client;
    } catch (error) {
      if (storageProblem(error)?.cause !== "crowded") throw error;
      refusal = { error, untilMs: nowMs() + GROW_PAUSE_MS };
      return null;
    }
  };
  /** After a refusal, one asks for all. */
  const mayGrow = () => {
    if (refusal === null) return true;
    if (nowMs() < refusal.untilMs) return false;
    refusal.untilMs = nowMs() + GROW_PAUSE_MS;
    return true;
  };
  const mayTry = () => pool.idleCount > 0 || pool.totalCount === 0 || mayGrow();
  return async () => {
    const sinceMs = nowMs();
    for (;;) {
      const client = mayTry() ? await tryOnce() : null;
      if (client !== null) return client;
      if (isHopeless(sinceMs)) throw refusal?.error;
      await freed();
    }
  };
}
