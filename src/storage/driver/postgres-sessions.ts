import type { CompiledQuery } from "kysely";
import pg from "pg";
import { endWork } from "./postgres-cancel.ts";
import { createGenerations, spoil } from "./postgres-generations.ts";
import { createSessionTurns } from "./session-turns.ts";
import { storageProblem } from "./storage-errors.ts";

const CONNECT_TIMEOUT_MS = 1_000;
/** A caller waits for these: if the database hangs, the response is a 503 within 1.5 s. */
const QUERY_TIMEOUT_MS = 1_400;
/** What the first query of a piece of work has at least, however long the session was waited for. */
const MIN_QUERY_MS = 500;
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

export interface SessionOptions {
  /** Most connections at a time, also of those whose work was given up. */
  readonly connections: number;
  /** Called when an idle connection breaks; the pool replaces it. */
  readonly onError: (error: Error) => void;
  readonly nowMs: () => number;
}

export function createSessions(
  connection: pg.ClientConfig,
  { connections, onError, nowMs }: SessionOptions,
): Sessions {
  const pool = createPool(connection, connections, onError);
  const turns = createSessionTurns(connections);
  const attempt = createAttempt(createGenerations(pool, nowMs), nowMs);
  return {
    async use(work) {
      const startedMs = nowMs();
      await turns.take();
      let served = false;
      let busy: Promise<void> | null = null;
      try {
        for (let run = 1; ; run++) {
          const done = await attempt(work, startedMs, run < MAX_RUNS, (until) => {
            busy = until;
          });
          if (done === null) continue;
          served = true;
          return done.result;
        }
      } catch (error) {
        served = isServerAnswer(error);
        throw error;
      } finally {
        // nobody waits for it, but until then the connection counts
        if (busy === null) turns.give(served);
        else void Promise.resolve(busy).finally(() => turns.give(served));
      }
    },
    close: () => pool.end(),
  };
}

function createPool(
  connection: pg.ClientConfig,
  connections: number,
  onError: (error: Error) => void,
): pg.Pool {
  // Nothing else goes into the start packet: PgBouncer refuses settings there, and forgets those of
  // a session.
  const pool = new pg.Pool({
    ...connection,
    max: connections,
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
  pool.on("connect", (client) => void client.on("error", () => undefined));
  return pool;
}

/** Runs work once; null: to be run again. `onBusy` is told when a session that was given up is free. */
function createAttempt(generations: ReturnType<typeof createGenerations>, nowMs: () => number) {
  return async <T>(
    work: (session: Session) => Promise<T>,
    startedMs: number,
    mayRepeat: boolean,
    onBusy: (until: Promise<void>) => void,
  ) => {
    const client = await generations.take();
    const session = sessionOn(client, QUERY_TIMEOUT_MS - (nowMs() - startedMs));
    let end: End = "close";
    try {
      const result = await work(session);
      end = "keep";
      return { result };
    } catch (error) {
      end = endAfter(error);
      const replaced = generations.judge(client, error);
      if (!replaced || !mayRepeat || session.isCommitting()) throw error;
      if (end === "keep") spoil(client);
      end = "close";
      return null;
    } finally {
      const busy = giveBack(client, end);
      if (busy !== null) onBusy(busy);
    }
  };
}

/** What becomes of a session: `cancel` is for one that may still be at work on the server. */
type End = "keep" | "close" | "cancel";

/** Returns until when the session is busy; null: it is not. */
function giveBack(client: pg.PoolClient, end: End): Promise<void> | null {
  if (end === "cancel") return endWork(client).finally(() => client.release(true));
  client.release(end === "close");
  return null;
}

function endAfter(error: unknown): End {
  if (isServerAnswer(error)) return "keep";
  return storageProblem(error)?.cause === "silent" ? "cancel" : "close";
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
