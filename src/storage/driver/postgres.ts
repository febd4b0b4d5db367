import { type CompiledQuery, Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import type { Driver, Script } from "./driver.ts";
import { migrate } from "./migrate.ts";

export interface PostgresOptions {
  readonly url: string;
  /** Told of connections that broke while idle; the pool replaces them. */
  readonly onError: (error: Error) => void;
}

const maxConnections = 10;
/** Without it a dead host is waited for without end. */
const connectTimeoutMs = 1_000;
/** A caller waits for these: a database that hangs is a 503 within 1.5 s. */
const queryTimeoutMs = 1_400;
/** For sums, exports and purges. */
const reportTimeoutMs = 20_000;
/** The server gives up later than we do, so that nothing runs on unseen for long. */
const statementTimeoutMs = 25_000;
const idleInTransactionMs = 10_000;
/** Waiting for another starter's migrations is part of it. */
const migrationTimeoutMs = 60_000;
/** Any number that is the same in every version. */
const migrationLock = 7_236_524_017n;
/** serialization_failure, deadlock_detected: the transaction did nothing and may be run again. */
const runAgain = new Set(["40001", "40P01"]);
const maxRuns = 5;

export async function openPostgres(options: PostgresOptions): Promise<Driver> {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    keepAlive: true,
    application_name: "parley",
    types: { getTypeParser },
  });
  // Without a listener a connection that breaks while idle ends the process.
  pool.on("error", options.onError);
  try {
    await migrateDatabase(options);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return createPostgresDriver(pool);
}

function createPostgresDriver(pool: pg.Pool): Driver {
  const read = async <R>(query: CompiledQuery<R>, timeoutMs: number): Promise<readonly R[]> => {
    const rows = await withClient(pool, (client) => rowsOf(client, query, timeoutMs));
    // The rows have the type the query says.
    return rows as readonly R[];
  };
  return {
    kind: "postgres",
    rowsPerInsert: 64,
    all: (query) => read(query, queryTimeoutMs),
    report: (query) => read(query, reportTimeoutMs),
    transaction: (script) =>
      again(() =>
        withClient(pool, async (client) => {
          await client.query("BEGIN");
          try {
            const result = await steps(client, script);
            await client.query("COMMIT");
            return result;
          } catch (error) {
            // A connection that does not answer is closed instead, which rolls back too.
            if (isServerAnswer(error)) await client.query("ROLLBACK");
            throw error;
          }
        }),
      ),
    single: (script) => again(() => withClient(pool, (client) => steps(client, script))),
    version: () => null,
    backup: async () => {
      throw new Error("backup is for SQLite: use pg_dump for PostgreSQL");
    },
    close: () => pool.end(),
  };
}

async function steps<T>(client: pg.ClientBase, script: () => Script<T>): Promise<T> {
  const running = script();
  let step = running.next([]);
  while (step.done !== true) step = running.next(await rowsOf(client, step.value));
  return step.value;
}

async function rowsOf(
  client: pg.ClientBase,
  query: CompiledQuery,
  timeoutMs = queryTimeoutMs,
): Promise<readonly unknown[]> {
  const config = { text: query.sql, values: [...query.parameters], query_timeout: timeoutMs };
  return (await client.query(config)).rows;
}

/** A connection whose query failed for another reason than the query is thrown away. */
async function withClient<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  // While it is lent out, a break is told to the client and not to the pool.
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

async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let run = 1; ; run++) {
    try {
      return await work();
    } catch (error) {
      if (!isServerAnswer(error) || !runAgain.has(error.code ?? "") || run >= maxRuns) throw error;
    }
  }
}

/** FATAL and PANIC end the connection; a plain ERROR leaves it usable. */
function isServerAnswer(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && error.severity === "ERROR";
}

/** 64-bit integers come as text; ours fit a number (money is selected as text). */
function getTypeParser(id: number, format?: "text" | "binary"): unknown {
  if (id === pg.types.builtins.INT8) return Number;
  return format === "binary"
    ? pg.types.getTypeParser(id, "binary")
    : pg.types.getTypeParser(id, "text");
}

/** On a connection of its own, with the disconnectPolicy that creating tables needs. */
async function migrateDatabase(options: PostgresOptions): Promise<void> {
  const client = new pg.Client({
    connectionString: options.url,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: migrationTimeoutMs,
    application_name: "parley migration",
  });
  client.on("error", options.onError);
  await client.connect();
  const lent = {
    query: client.query.bind(client),
    release: () => undefined,
  };
  const pool = { options: {}, connect: async () => lent, end: async () => undefined };
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [migrationLock]);
    await migrate(new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) }));
    await client.query("COMMIT");
  } finally {
    // Ending the connection rolls back what was not committed.
    await client.end();
  }
}
