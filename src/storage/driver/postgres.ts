import { type CompiledQuery, Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import type { Driver, Transaction } from "./driver.ts";
import { migrate } from "./migrate.ts";

const MAX_CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 1_000;
/** A caller waits for these: if the database hangs, the response is a 503 within 1.5 s. */
const QUERY_TIMEOUT_MS = 1_400;
/** For sums, exports and purges. */
const REPORT_TIMEOUT_MS = 20_000;
/** The server gives up after us, so that no statement runs on unseen for long. */
const STATEMENT_TIMEOUT_MS = 25_000;
const IDLE_IN_TRANSACTION_MS = 10_000;
/** Includes the wait for another process that migrates. */
const MIGRATION_TIMEOUT_MS = 60_000;
/** Any number that is the same in every version. */
const MIGRATION_LOCK = 7_236_524_017n;
/** serialization_failure, deadlock_detected: the transaction did nothing and may be run again. */
const SERIALIZATION_FAILURES = ["40001", "40P01"];
const MAX_RUNS = 5;

/** `onError` is called when an idle connection breaks; the pool replaces it. */
export async function openPostgres(url: string, onError: (error: Error) => void): Promise<Driver> {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    application_name: "parley",
    types: { getTypeParser },
  });
  // Without a listener a connection that breaks while idle ends the process.
  pool.on("error", onError);
  try {
    await migrateDatabase(url, onError);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return createPostgresDriver(pool);
}

function createPostgresDriver(pool: pg.Pool): Driver {
  return {
    kind: "postgres",
    rowsPerInsert: 64,
    all: (query) => withClient(pool, (client) => rowsOf(client, query)),
    report: (query) => withClient(pool, (client) => rowsOf(client, query, REPORT_TIMEOUT_MS)),
    transaction: (work) =>
      retrySerialization(() =>
        withClient(pool, async (client) => {
          await client.query("BEGIN");
          try {
            const result = await runTransaction(client, work);
            await client.query("COMMIT");
            return result;
          } catch (error) {
            // A connection that doesn't answer is closed instead, which also rolls back.
            if (isServerAnswer(error)) await client.query("ROLLBACK");
            throw error;
          }
        }),
      ),
    run: (work) =>
      retrySerialization(() => withClient(pool, (client) => runTransaction(client, work))),
    version: () => null,
    backup: async () => {
      throw new Error("backup is for SQLite: use pg_dump for PostgreSQL");
    },
    close: () => pool.end(),
  };
}

async function runTransaction<T>(client: pg.ClientBase, work: () => Transaction<T>): Promise<T> {
  const running = work();
  let step = running.next([]);
  while (step.done !== true) step = running.next(await rowsOf(client, step.value));
  return step.value;
}

async function rowsOf<R>(
  client: pg.ClientBase,
  query: CompiledQuery<R>,
  timeoutMs = QUERY_TIMEOUT_MS,
): Promise<readonly R[]> {
  const config = { text: query.sql, values: [...query.parameters], query_timeout: timeoutMs };
  return (await client.query(config)).rows;
}

/** Discards the connection if anything but the query itself failed. */
async function withClient<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  // While the client is in use, it emits the error of a broken connection, not the pool.
  const ignore = () => undefined;
  client.on("error", ignore);
  let broken = true;
  try {
    const result = await work(client);
    broken = false;
    return result;
  } catch (error) {
    broken = !isServerAnswer(error);
    throw error;
  } finally {
    client.off("error", ignore);
    client.release(broken);
  }
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

/** FATAL and PANIC end the connection; a plain ERROR leaves it usable. */
function isServerAnswer(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && error.severity === "ERROR";
}

/** 64-bit integers arrive as text. Ours fit a number; money is selected as text. */
function getTypeParser(id: number, format?: "text" | "binary"): unknown {
  if (id === pg.types.builtins.INT8) return Number;
  return format === "binary"
    ? pg.types.getTypeParser(id, "binary")
    : pg.types.getTypeParser(id, "text");
}

/** On a connection of its own, with the longer timeouts that creating tables needs. */
async function migrateDatabase(url: string, onError: (error: Error) => void): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: MIGRATION_TIMEOUT_MS,
    application_name: "parley migration",
  });
  client.on("error", onError);
  await client.connect();
  const lent = {
    query: client.query.bind(client),
    release: () => undefined,
  };
  const pool = { options: {}, connect: async () => lent, end: async () => undefined };
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    await migrate(new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) }));
    await client.query("COMMIT");
  } finally {
    // Ending the connection rolls back what was not committed.
    await client.end();
  }
}
