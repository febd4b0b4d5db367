import { dirname } from "node:path";
import {
  DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from "node:sqlite";
import { type CompiledQuery, Kysely, SqliteDialect } from "kysely";
import { explainAccess, isEmpty, NoDatabaseError } from "./access.ts";
import { compactCopy } from "./copy.ts";
import type { Driver, Transaction } from "./driver.ts";
import { createPrivateFile, createPrivateFolder } from "./files.ts";
import { createLockWait, type LockWait } from "./lock-wait.ts";
import { type MigrateOptions, migrate } from "./migrate.ts";
import { type MovedFileError, watchFiles } from "./open-files.ts";

/** How long calls wait for another process's lock: a response comes within 1.5 s. */
const LOCK_WAIT_MS = 1_200;
/** The same at the start, when another process may be migrating. */
const OPEN_WAIT_MS = 5_000;
/**
 * Pages of 4 KiB in the log before they are copied into the file, which blocks all calls for some
 * milliseconds. SQLite's default of 1,000 delays every hundredth call of a token, and so its p99.
 */
const PAGES_TO_CHECKPOINT = 4_000;
const IN_MEMORY = ":memory:";
/** More than there are queries. */
const MAX_STATEMENTS = 200;
/** `:memory:` for tests. Throws a NoDatabaseError if it may not create one. A commit survives kill -9, but not always a power cut. */
export async function openSqlite(
  file: string,
  options: MigrateOptions = { mayCreate: true, onNotice: () => undefined },
): Promise<Driver> {
  if (!options.mayCreate && isEmpty(file)) throw new NoDatabaseError();
  try {
    return await open(file, options);
  } catch (error) {
    throw explainAccess(file, error);
  }
}

async function open(file: string, options: MigrateOptions): Promise<Driver> {
  const database = openFile(file);
  try {
    const { run } = createLockWait(OPEN_WAIT_MS);
    await run(() => database.exec("PRAGMA journal_mode = WAL"));
    // FULL would also survive a power cut, at a tenth of the speed.
    database.exec("PRAGMA synchronous = NORMAL");
    database.exec(`PRAGMA wal_autocheckpoint = ${PAGES_TO_CHECKPOINT}`);
    await migrateFile(database, run, options);
  } catch (error) {
    database.close();
    throw error;
  }
  return createSqliteDriver(database, file === IN_MEMORY ? () => null : watchFiles(file));
}

function createSqliteDriver(
  database: DatabaseSync,
  lookForFiles: () => MovedFileError | null,
): Driver {
  const statements = new Map<string, Execute>();
  const lock = createLockWait(LOCK_WAIT_MS);
  let moved: MovedFileError | null = null;
  const rowsOf = (query: CompiledQuery): readonly unknown[] => {
    if (moved !== null && !isRead(query)) throw moved;
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
  const all = <R>(query: CompiledQuery<R>) =>
    lock.run(() => {
      // The rows have the type the query says.
      const rows = rowsOf(query) as readonly R[];
      if (!isRead(query)) lock.free();
      return rows;
    });
  const exclusively = createExclusively(database, lock);
  return {
    kind: "sqlite",
    // Measured: 8 rows save a twentieth per row, more save little.
    rowsPerInsert: 8,
    all,
    report: all,
    transaction: (work) => lock.run(() => exclusively(() => runTransaction(work))),
    run: (work) => lock.run(() => runTransaction(work)),
    tokensVersion: createTokensVersion(database),
    checkFiles: () => {
      moved = lookForFiles();
    },
    backup: (to) => lock.run(() => compactCopy(database, to)),
    close: async () => {
      statements.clear();
      database.close();
    },
  };
}

/** Another process's lock doesn't hold up reads. */
function isRead({ sql }: CompiledQuery): boolean {
  return sql.startsWith("select");
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

/** Counts what others have written to tokens; looks only once anything was written by others. */
function createTokensVersion(database: DatabaseSync): () => number {
  const written = database.prepare("PRAGMA data_version");
  const changes = database.prepare("SELECT count FROM token_changes");
  let seen: SQLOutputValue | undefined;
  let count = 0;
  return () => {
    const now = written.get()?.data_version;
    if (now !== seen) {
      count = Number(changes.get()?.count);
      seen = now;
    }
    return count;
  };
}

/** IMMEDIATE takes the write lock first: a reader that becomes a writer can fail without waiting. */
function createExclusively(database: DatabaseSync, lock: LockWait) {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  return <T>(work: () => T): T => {
    begin.run();
    lock.free();
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

/** SQLite itself waits for no lock, since that would block the thread. */
function openFile(file: string): DatabaseSync {
  if (file !== IN_MEMORY) {
    createPrivateFolder(dirname(file));
    createPrivateFile(file);
  }
  return new DatabaseSync(file, { timeout: 0 });
}

/** Kysely runs its migrations on this connection, inside one transaction of ours. */
async function migrateFile(
  database: DatabaseSync,
  run: LockWait["run"],
  options: MigrateOptions,
): Promise<void> {
  await run(() => database.exec("BEGIN IMMEDIATE"));
  try {
    await migrate(
      new Kysely<unknown>({ dialect: new SqliteDialect({ database: forKysely(database) }) }),
      options,
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
