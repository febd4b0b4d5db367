import type { CompiledQuery } from "kysely";
import pg from "pg";
import { createSessionTurns } from "./session-turns.ts";
import { storageProblem } from "./storage-errors.ts";

const MAX_SESSIONS = 10;
const CONNECT_TIMEOUT_MS = 1_000;
/** A caller waits for these: if the database hangs, the response is a 503 within 1.5 s. */
const QUERY_TIMEOUT_MS = 1_400;
/** What the first query of a piece of work has at least, however long the session was waited for. */
const MIN_QUERY_MS = 500;
/** How often all sessions may be replaced: a database that stays read-only costs no connection per write. */
const RENEW_MS = 1_000;
/** New sessions in that time that may be replaced, too: a pooler may have lent them an old connection. */
const MAX_REPLACED = 20;
/** How often work is run. Once more on a new session is enough, except behind a pooler. */
const MAX_RUNS = 5;

/** The server's idle_session_timeout: expected again and again where it is set. */
const IDLE_TOO_LONG = "57P05";

export interface Session {
  query<R>(query: CompiledQuery<R>, timeoutMs?: number): Promise<readonly R[]>;
  /** One or more statements without values, in one round trip. */
  command(text: string): Promise<void>;
  /** The same for the one whose failure says nothing about what is stored: not repeated after it. */
  commit(): Promise<void>;
}

export interface Sessions {
  /**
   * Runs the work on a session of the pool. If the session turns out to be of no use, as after a
   * failover, the work is run again on a new one; so it must be harmless to do it twice.
   */
  use<T>(work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** `onError` is called when an idle connection breaks; the pool replaces it. */
export function createSessions(
  connection: pg.ClientConfig,
  onError: (error: Error) => void,
  nowMs: () => number,
): Sessions {
  // Nothing else goes into the start packet: PgBouncer refuses settings there, and forgets those of
  // a session.
  const pool = new pg.Pool({
    ...connection,
    max: MAX_SESSIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser },
  });
  // Without a listener a connection that breaks while idle ends the process.
  pool.on("error", (error) => {
    if (!("code" in error) || error.code !== IDLE_TOO_LONG) onError(error);
  });
  // The pool's own listener is absent while a client is in use, from the moment it is connected.
  pool.on("connect", (client) => void client.on("error", ignore));
  const generations = createGenerations(pool, nowMs);
  const turns = createSessionTurns(MAX_SESSIONS);

  /** Null: to be run again. */
  const attempt = async <T>(
    work: (session: Session) => Promise<T>,
    startedMs: number,
    mayRepeat: boolean,
  ) => {
    const client = await generations.take();
    const session = sessionOn(client, QUERY_TIMEOUT_MS - (nowMs() - startedMs));
    let broken = true;
    try {
      const result = await work(session);
      broken = false;
      return { result };
    } catch (error) {
      broken = !isServerAnswer(error);
      const replaced = generations.judge(client, error);
      if (!replaced || !mayRepeat || session.isCommitting()) throw error;
      if (!broken) spoil(client);
      broken = true;
      return null;
    } finally {
      client.release(broken);
    }
  };
  return {
    async use(work) {
      const startedMs = nowMs();
      await turns.take();
      let served = false;
      try {
        for (let run = 1; ; run++) {
          const done = await attempt(work, startedMs, run < MAX_RUNS);
          if (done === null) continue;
          served = true;
          return done.result;
        }
      } catch (error) {
        served = isServerAnswer(error);
        throw error;
      } finally {
        turns.give(served);
      }
    },
    close: () => pool.end(),
  };
}

const ignore = () => undefined;

/**
 * Before a usable session is closed because its server is read-only. A pooler closes its own connection
 * to the server only if the client leaves in the middle of a transaction, and else lends it on. Nobody
 * waits for the answer, since the server may be gone by now.
 */
function spoil(client: pg.PoolClient): void {
  client.query("BEGIN").catch(ignore);
}

/**
 * After a failover the other sessions of the pool are of no use either: they still lead to a server
 * that is read-only or gone. So each belongs to a generation, and those of an older one are closed.
 */
function createGenerations(pool: pg.Pool, nowMs: () => number) {
  const bornIn = new WeakMap<pg.PoolClient, number>();
  let current = 0;
  let isReadOnly = false;
  let renewedMs = Number.NEGATIVE_INFINITY;
  let replaced = 0;
  pool.on("connect", (client) => void bornIn.set(client, current));
  return {
    async take(): Promise<pg.PoolClient> {
      for (;;) {
        const client = await pool.connect();
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

function sessionOn(client: pg.PoolClient, firstTimeoutMs: number) {
  let committing = false;
  let limitMs = Math.max(MIN_QUERY_MS, firstTimeoutMs);
  /** The wait for a connection shortens the wait for the first answer, and no later one. */
  const nextLimitMs = () => {
    const ms = limitMs;
    limitMs = QUERY_TIMEOUT_MS;
    return ms;
  };
  const command = async (text: string) => {
    const config = { text, query_timeout: nextLimitMs() };
    await client.query(config);
  };
  return {
    isCommitting: () => committing,
    async query<R>({ sql, parameters }: CompiledQuery<R>, timeoutMs?: number) {
      const values = [...parameters];
      const config = { text: sql, values, query_timeout: timeoutMs ?? nextLimitMs() };
      return (await client.query(config)).rows;
    },
    command,
    commit() {
      committing = true;
      return command("COMMIT");
    },
  };
}

/**
 * The server refused a query, and the connection is usable; anything else may have ended it. By the
 * code, because a server may say ERROR and FATAL in its own language.
 */
export function isServerAnswer(error: unknown): error is pg.DatabaseError {
  if (!(error instanceof pg.DatabaseError)) return false;
  const ends = /^(08|28|3D|57P|25P03|25P04|53300|58|XX)/.test(error.code ?? "");
  return !ends && error.severity !== "FATAL" && error.severity !== "PANIC";
}

/** 64-bit integers arrive as text. Ours fit a number; money is selected as text. */
function getTypeParser(id: number, format?: "text" | "binary"): unknown {
  if (id === pg.types.builtins.INT8) return Number;
  return format === "binary"
    ? pg.types.getTypeParser(id, "binary")
    : pg.types.getTypeParser(id, "text");
}
