import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import {
  backup,
  DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { type CompiledQuery, Kysely, SqliteDialect } from "kysely";
import type { Driver, Transaction } from "./driver.ts";
import { migrate } from "./migrate.ts";
import { SQLITE_BUSY, sqliteCode } from "./storage-errors.ts";

/** How long one statement may block the thread while another process writes. */
const BUSY_TIMEOUT_MS = 100;
/** How long a transaction is retried. The thread is free between the tries. */
const BUSY_DEADLINE_MS = 5_000;
const BUSY_PAUSE_MS = 10;
/**
 * Pages of 4 KiB in the log before they are copied into the file, which blocks all calls for some
 * milliseconds. SQLite's default of 1,000 delays every hundredth call of a token, and so its p99.
 */
const PAGES_TO_CHECKPOINT = 4_000;
/** More than there are queries. */
const MAX_STATEMENTS = 200;
/** Only the owner may read: the file holds digests and who called when. */
const FILE_MODE = 0o600;

/** `:memory:` for tests. A commit survives kill -9, but not always a power cut. */
export async function openSqlite(file: string): Promise<Driver> {
  const database = openFile(file);
  try {
    await retryWhileBusy(() => database.exec("PRAGMA journal_mode = WAL"));
    // FULL would also survive a power cut, at a tenth of the speed.
    database.exec("PRAGMA synchronous = NORMAL");
    database.exec(`PRAGMA wal_autocheckpoint = ${PAGES_TO_CHECKPOINT}`);
    await migrateFile(database);
  } catch (error) {
    database.close();
    throw error;
  }
  return createSqliteDriver(database);
}

function createSqliteDriver(database: DatabaseSync): Driver {
  const statements = new Map<string, Execute>();
  const rowsOf = (query: CompiledQuery): readonly unknown[] => {
    let execute = statements.get(query.sql);
    if (execute === undefined) {
      if (statements.size >= MAX_STATEMENTS) statements.clear();
      execute = executor(database.prepare(query.sql));
      statements.set(query.sql, execute);
    }
    // Queries are bound with text, numbers, bigints and null only.
    return execute(query.parameters as readonly SQLInputValue[]);
  };
  const runTransaction = <T>(work: () => Transaction<T>): T => {
    const running = work();
    let step = running.next([]);
    while (step.done !== true) step = running.next(rowsOf(step.value));
    return step.value;
  };
  // The rows have the type the query says.
  const all = <R>(query: CompiledQuery<R>) => retryWhileBusy(() => rowsOf(query) as readonly R[]);
  const exclusively = createExclusively(database);
  const version = database.prepare("PRAGMA data_version");
  return {
    kind: "sqlite",
    // Measured: 8 rows save a twentieth per row, more save little.
    rowsPerInsert: 8,
    all,
    report: all,
    transaction: (work) => retryWhileBusy(() => exclusively(() => runTransaction(work))),
    run: (work) => retryWhileBusy(() => runTransaction(work)),
    version: () => Number(version.get()?.data_version),
    backup: async (file) => {
      closeSync(openSync(file, "a", FILE_MODE));
      await backup(database, file);
    },
    close: async () => {
      statements.clear();
      database.close();
    },
  };
}

type Execute = (values: readonly SQLInputValue[]) => readonly unknown[];

/**
 * Builds objects of one shape. node:sqlite's own rows are dictionaries, which take longer to build and
 * read: 78 µs for a history of 33 turns instead of 53.
 */
function executor(statement: StatementSync): Execute {
  statement.setReturnArrays(true);
  const columns = statement.columns().map(({ name }) => name);
  return (values) => {
    // Set to return arrays, which its types don't know. A statement without columns returns none.
    const rows = statement.all(...values) as unknown as readonly (readonly SQLOutputValue[])[];
    return rows.map((row) => {
      const named: Record<string, SQLOutputValue | undefined> = {};
      columns.forEach((column, at) => {
        named[column] = row[at];
      });
      return named;
    });
  };
}

/** IMMEDIATE takes the write lock first: a reader that becomes a writer can fail without waiting. */
function createExclusively(database: DatabaseSync) {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  return <T>(work: () => T): T => {
    begin.run();
    try {
      const result = work();
      commit.run();
      return result;
    } catch (error) {
      // A failed COMMIT or a full disk may have ended the transaction already.
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  };
}

/** Retries while another process holds the lock, and lets other work run in between. */
async function retryWhileBusy<T>(work: () => T): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += BUSY_TIMEOUT_MS + BUSY_PAUSE_MS) {
    try {
      return work();
    } catch (error) {
      if (sqliteCode(error) !== SQLITE_BUSY || waitedMs >= BUSY_DEADLINE_MS) throw error;
      await sleep(BUSY_PAUSE_MS);
    }
  }
}

function openFile(file: string): DatabaseSync {
  if (file !== ":memory:") {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // Created before SQLite opens it, so that others can never read it; -wal and -shm get its mode.
    closeSync(openSync(file, "a", FILE_MODE));
    chmodSync(file, FILE_MODE);
  }
  return new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
}

/** Kysely runs its migrations on this connection, inside one transaction of ours. */
async function migrateFile(database: DatabaseSync): Promise<void> {
  await retryWhileBusy(() => database.exec("BEGIN IMMEDIATE"));
  try {
    await migrate(
      new Kysely<unknown>({ dialect: new SqliteDialect({ database: forKysely(database) }) }),
    );
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** For Kysely's `SqliteDialect`. The caller closes the database. */
export function forKysely(database: DatabaseSync) {
  return {
    close: () => undefined,
    prepare: (text: string) => {
      const statement = database.prepare(text);
      // Migrations bind text and numbers only.
      const bound = (values: readonly unknown[]) => values as readonly SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (values: readonly unknown[]) => statement.all(...bound(values)),
        run: (values: readonly unknown[]) => statement.run(...bound(values)),
        iterate: (values: readonly unknown[]) => statement.iterate(...bound(values)),
      };
    },
  };
}
