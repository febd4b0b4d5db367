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
import type { Driver, Script } from "./driver.ts";
import { migrate } from "./migrate.ts";

export interface SqliteOptions {
  readonly file: string;
  /** NORMAL survives kill -9, FULL a power cut too, at a tenth of the speed. */
  readonly synchronous?: "NORMAL" | "FULL";
}

/** How long one statement may hold the thread while another process writes. */
const busyTimeoutMs = 100;
/** How long a transaction is tried again, with the thread given up in between. */
const busyDeadlineMs = 5_000;
const busyPauseMs = 10;
/**
 * Pages of 4 KiB in the log before they are copied into the file, which holds up all calls for some
 * milliseconds. With SQLite's own 1,000 it is every hundredth call of a token, and so its p99.
 */
const pagesToCheckpoint = 4_000;
/** Compiled statements kept; the queries are fewer than that. */
const maxStatements = 200;
/** Only the owner may read: the file holds digests and who called when. */
const fileMode = 0o600;

export async function openSqlite(options: SqliteOptions): Promise<Driver> {
  const database = openFile(options.file);
  try {
    await patiently(() => {
      database.exec("PRAGMA journal_mode = WAL");
    });
    database.exec(`PRAGMA synchronous = ${options.synchronous === "FULL" ? "FULL" : "NORMAL"}`);
    database.exec(`PRAGMA wal_autocheckpoint = ${pagesToCheckpoint}`);
    await migrateFile(database);
  } catch (error) {
    database.close();
    throw error;
  }
  return createSqliteDriver(database);
}

function createSqliteDriver(database: DatabaseSync): Driver {
  const statements = new Map<string, Prepared>();
  const run = (query: CompiledQuery): readonly unknown[] => {
    let prepared = statements.get(query.sql);
    if (prepared === undefined) {
      if (statements.size >= maxStatements) statements.clear();
      prepared = preparedOf(database.prepare(query.sql));
      statements.set(query.sql, prepared);
    }
    // Queries are bound with text, numbers, bigints and null only.
    const values = query.parameters as readonly SQLInputValue[];
    if (prepared.columns.length > 0) return rowsOf(prepared, values);
    prepared.statement.run(...values);
    return [];
  };
  const steps = <T>(script: () => Script<T>): T => {
    const running = script();
    let step = running.next([]);
    while (step.done !== true) step = running.next(run(step.value));
    return step.value;
  };
  // The rows have the type the query says.
  const all = <R>(query: CompiledQuery<R>) => patiently(() => run(query) as readonly R[]);
  const exclusively = createExclusively(database);
  const version = database.prepare("PRAGMA data_version");
  return {
    kind: "sqlite",
    // Measured: 8 rows save a twentieth a row, more save little.
    rowsPerInsert: 8,
    all,
    report: all,
    transaction: (script) => patiently(() => exclusively(() => steps(script))),
    single: (script) => patiently(() => steps(script)),
    version: () => Number(version.get()?.data_version),
    backup: async (file) => {
      closeSync(openSync(file, "a", fileMode));
      await backup(database, file);
    },
    close: async () => {
      statements.clear();
      database.close();
    },
  };
}

interface Prepared {
  readonly statement: StatementSync;
  /** None of a statement that returns nothing. */
  readonly columns: readonly string[];
}

function preparedOf(statement: StatementSync): Prepared {
  statement.setReturnArrays(true);
  return { statement, columns: statement.columns().map(({ name }) => name) };
}

/**
 * Objects of one shape. Those that node:sqlite makes are dictionaries, which take longer to make and
 * to read: 78 µs of a history of 33 turns, now 53.
 */
function rowsOf({ statement, columns }: Prepared, values: readonly SQLInputValue[]): object[] {
  // set to return arrays, which its types do not know
  const rows = statement.all(...values) as unknown as readonly (readonly SQLOutputValue[])[];
  return rows.map((row) => {
    const named: Record<string, SQLOutputValue | undefined> = {};
    columns.forEach((column, at) => {
      named[column] = row[at];
    });
    return named;
  });
}

/** IMMEDIATE takes the write lock first: a reader that turns writer can fail without waiting. */
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

/** Tries again while another process holds the lock, and lets other work run in between. */
async function patiently<T>(work: () => T): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += busyTimeoutMs + busyPauseMs) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || waitedMs >= busyDeadlineMs) throw error;
      await sleep(busyPauseMs);
    }
  }
}

/** SQLITE_BUSY is 5; extended codes keep it in the low byte. */
function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    "errcode" in error &&
    typeof error.errcode === "number" &&
    (error.errcode & 0xff) === 5
  );
}

function openFile(file: string): DatabaseSync {
  if (file !== ":memory:") {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // Made before SQLite opens it, so that it is never readable by others; -wal and -shm follow.
    closeSync(openSync(file, "a", fileMode));
    chmodSync(file, fileMode);
  }
  return new DatabaseSync(file, { timeout: busyTimeoutMs });
}

/** Kysely runs its migrations on this connection, inside one transaction that is ours. */
async function migrateFile(database: DatabaseSync): Promise<void> {
  await patiently(() => database.exec("BEGIN IMMEDIATE"));
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

function forKysely(database: DatabaseSync) {
  return {
    close: () => undefined,
    prepare: (text: string) => {
      const statement = database.prepare(text);
      // Kysely binds what migrations say: text and numbers.
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
