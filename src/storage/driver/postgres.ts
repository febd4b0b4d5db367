import type { Driver, Transaction } from "./driver.ts";
import type { MigrateOptions } from "./migrate.ts";
import { migratePostgres } from "./postgres-migration.ts";
import {
  createSessions,
  isServerAnswer,
  type Session,
  type SessionOptions,
  type Sessions,
} from "./postgres-sessions.ts";
import { connectionTo } from "./postgres-url.ts";
import { createStartWait } from "./start-wait.ts";

/** For sums, exports and purges. */
const REPORT_TIMEOUT_MS = 20_000;
/** The server gives up after us, so that no statement runs on unseen for long. */
const STATEMENT_TIMEOUT_MS = 25_000;
const IDLE_IN_TRANSACTION_MS = 10_000;
/**
 * Limits of the transaction alone: a pooler gives the session to others afterwards. The isolation is
 * PostgreSQL's usual one, whatever the database's default is: a stricter one refuses calls at once.
 */
const BEGIN = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS};
SET LOCAL idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}`;
/** serialization_failure, deadlock_detected: the transaction did nothing and may be run again. */
const SERIALIZATION_FAILURES = ["40001", "40P01"];
const MAX_RUNS = 5;

export interface PostgresOptions extends SessionOptions, MigrateOptions {
  readonly url: string;
  /** How long a start waits for a server that is starting or has no connection left. */
  readonly startWaitMs?: number;
}

/** Opens the server and brings its tables up to date. */
export async function openPostgres(options: PostgresOptions): Promise<Driver> {
  const { url, onNotice, nowMs, startWaitMs } = options;
  const wait = createStartWait(onNotice, nowMs, startWaitMs);
  const connection = await wait.run(() => connectionTo(url));
  await migratePostgres(connection, options, wait);
  const sessions = createSessions(connection, options);
  try {
    // what follows has this connection, whoever else starts meanwhile
    await wait.run(() => sessions.use((session) => session.command("SELECT 1")));
  } catch (error) {
    await sessions.close();
    throw error;
  }
  return createPostgresDriver(sessions);
}

function createPostgresDriver(sessions: Sessions): Driver {
  return {
    kind: "postgres",
    rowsPerInsert: 64,
    all: (query) => sessions.use((session) => session.query(query)),
    report: (query) =>
      inTransaction(sessions, (session) => session.query(query, REPORT_TIMEOUT_MS)),
    transaction: (work) =>
      retrySerialization(() => inTransaction(sessions, (session) => runSteps(session, work))),
    run: (work) => retrySerialization(() => sessions.use((session) => runSteps(session, work))),
    tokensVersion: () => null,
    checkFiles: () => undefined,
    backup: async () => {
      throw new Error("backup is for SQLite: use pg_dump for PostgreSQL");
    },
    close: () => sessions.close(),
  };
}

function inTransaction<T>(sessions: Sessions, work: (session: Session) => Promise<T>): Promise<T> {
  return sessions.use(async (session) => {
    await session.command(BEGIN);
    try {
      const result = await work(session);
      await session.commit();
      return result;
    } catch (error) {
      // A connection that doesn't answer is closed instead, which also rolls back.
      if (isServerAnswer(error)) await session.command("ROLLBACK");
      throw error;
    }
  });
}

async function runSteps<T>(session: Session, work: () => Transaction<T>): Promise<T> {
  const running = work();
  let step = running.next([]);
  while (step.done !== true) step = running.next(await session.query(step.value));
  return step.value;
}

async function retrySerialization<T>(work: () => Promise<T>): Promise<T> {
  for (let run = 1; ; run++) {
    try {
      return await work();
    } catch (error) {
      const mayRetry = isServerAnswer(error) && SERIALIZATION_FAILURES.includes(error.code ?? "");
      if (!mayRetry || run >= MAX_RUNS) throw error;
    }
  }
}
