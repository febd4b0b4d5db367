import type pg from "pg";
import { createPatientConnect } from "./postgres-crowding.ts";
import { storageProblem } from "./storage-errors.ts";

/** How often all sessions may be replaced: a database that stays read-only costs no connection per write. */
const RENEW_MS = 1_000;
/** New sessions in that time that may be replaced, too: a pooler may have lent them an old connection. */
const MAX_REPLACED = 20;
const ignore = () => undefined;

/**
 * Before a usable session is closed because its server is read-only. A pooler closes its own connection
 * to the server only if the client leaves in the middle of a transaction, and else lends it on. Nobody
 * waits for the answer, since the server may be gone by now.
 */
export function spoil(client: pg.PoolClient): void {
  client.query("BEGIN").catch(ignore);
}

/**
 * After a failover the other sessions of the pool are of no use either: they still lead to a server
 * that is read-only or gone. So each belongs to a generation, and those of an older one are closed.
 */
export function createGenerations(pool: pg.Pool, nowMs: () => number) {
  const bornIn = new WeakMap<pg.PoolClient, number>();
  let current = 0;
  let isReadOnly = false;
  let renewedMs = Number.NEGATIVE_INFINITY;
  let replaced = 0;
  pool.on("connect", (client) => void bornIn.set(client, current));
  const connect = createPatientConnect(pool, nowMs);
  return {
    async take(): Promise<pg.PoolClient> {
      for (;;) {
        const client = await connect();
        if (bornIn.get(client) === current) return client;
        if (isReadOnly) spoil(client);
        client.release(true);
      }
    },
    /** Whether the session is to blame for the error, and another one may do better. */
    judge(client: pg.PoolClient, error: unknown): boolean {
      const cause = storageProblem(error)?.cause;
      if (cause !== "read_only" && cause !== "gone" && cause !== "starting" && cause !== "silent") {
        return false;
      }
      const mayRenew = cause === "gone" || nowMs() - renewedMs >= RENEW_MS;
      if (bornIn.get(client) === current && mayRenew) {
        current++;
        isReadOnly = cause === "read_only";
        renewedMs = nowMs();
        replaced = 0;
      }
      // Who waited for a silent server has no time left for another.
      if (cause === "silent") return false;
      return bornIn.get(client) !== current || replaced++ < MAX_REPLACED;
    },
  };
}
