import {
  constants,
  createReadStream,
  createWriteStream,
  existsSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pipeline } from "node:stream/promises";
import { reasonOf } from "../core/reason.ts";
import { explainAccess } from "./driver/access.ts";
import { copyDatabase, copyFrom } from "./driver/copy.ts";
import { createPrivateFile, createPrivateFolder } from "./driver/files.ts";
import { openSqlite } from "./driver/sqlite.ts";
import { SQLITE_BUSY, sqliteCode } from "./driver/storage-errors.ts";
import { STALE_MS } from "./ledger/instances.ts";

export interface RestoreOptions {
  /** A file that `Storage.backup` wrote, or a copy of a database that was not in use. */
  readonly from: string;
  /** The database to replace, if there is one. */
  readonly file: string;
  readonly nowMs: number;
}

/** SQLITE_CORRUPT and SQLITE_NOTADB: nothing can be read, so the file is moved away as it is. */
const UNREADABLE = [11, 26];

/**
 * Replaces the database with a backup; errors are for the operator. The backup is first copied and
 * checked, the replaced database is kept under another name, and the pages are written in one
 * transaction: a kill leaves the old database or the new one. Returns the other name.
 */
export async function restoreSqlite(options: RestoreOptions): Promise<{ kept: string | null }> {
  const { from, file } = options;
  if (!existsSync(from)) throw new Error(`there is no file ${from}`);
  if (!statSync(from).isFile()) throw new Error(`${from} is not a regular file`);
  if (resolve(from) === resolve(file)) throw new Error(`${from} is the database itself`);
  createPrivateFolder(dirname(file));
  const fresh = `${file}.restoring`;
  try {
    await copyChecked(from, fresh);
    const kept = existsSync(file) ? await replace(fresh, options) : null;
    if (kept === null) renameSync(fresh, file);
    return { kept };
  } finally {
    for (const end of ["", "-wal", "-shm"]) rmSync(fresh + end, { force: true });
  }
}

/** Copies the backup if it is an intact database of Parley, and migrates the copy. */
async function copyChecked(from: string, to: string): Promise<void> {
  for (const end of ["", "-wal"]) {
    rmSync(to + end, { force: true });
    if (!existsSync(from + end)) continue;
    createPrivateFile(to + end);
    try {
      // copyFile would give the copy another owner and mode
      await pipeline(createReadStream(from + end), createWriteStream(to + end, { flags: "r+" }));
    } catch (error) {
      throw explainAccess(from + end, error, constants.R_OK);
    }
  }
  const problem = problemIn(to);
  if (problem !== null) throw new Error(`${from} cannot be restored: ${problem}`);
  try {
    // Migrates older tables, refuses those it can't serve, and merges the write-ahead log.
    await (await openSqlite(to)).close();
  } catch (error) {
    throw new Error(`${from} cannot be restored: ${reasonOf(error)}`, { cause: error });
  }
}

function problemIn(file: string): string | null {
  const database = new DatabaseSync(file);
  try {
    const [row] = database.prepare("PRAGMA integrity_check(1)").all();
    const verdict = String(row?.integrity_check);
    if (verdict !== "ok") return verdict;
    const tables = database.prepare(
      "SELECT count(*) AS found FROM sqlite_schema WHERE name IN ('tokens', 'ledger', 'prices')",
    );
    return tables.get()?.found === 3 ? null : "it is not a database of Parley";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    database.close();
  }
}

/** Returns where the replaced database is now. */
async function replace(fresh: string, options: RestoreOptions): Promise<string> {
  const { file } = options;
  const kept = freeName(`${file}.before-restore`);
  if (!(await keepReadable(kept, options))) {
    for (const end of ["", "-wal", "-shm"]) {
      if (existsSync(file + end)) renameSync(file + end, kept + end);
    }
    renameSync(fresh, file);
    return kept;
  }
  await copyDatabase(fresh, file);
  return kept;
}

/**
 * Copies the database if no process has it open; false if it can't be read. Leaving WAL mode needs
 * exclusive access, so SQLite's locks show whether a process uses it, even right after a kill -9. In a
 * folder shared between machines, where locks don't work, the heartbeat shows it.
 */
async function keepReadable(kept: string, { file, nowMs }: RestoreOptions): Promise<boolean> {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = DELETE");
    // from the future: the clock went back since
    if (Math.abs(nowMs - lastHeartbeat(database)) < STALE_MS) {
      const wait = `${STALE_MS / 1_000} s`;
      throw new Error(`${file} was in use a moment ago: stop the server and wait ${wait}`);
    }
    await copyFrom(database, kept);
    return true;
  } catch (error) {
    const code = sqliteCode(error);
    if (code === SQLITE_BUSY) {
      throw new Error(`${file} is in use: stop the server first`, { cause: error });
    }
    if (code !== null && UNREADABLE.includes(code)) return false;
    throw error;
  } finally {
    database.close();
  }
}

function lastHeartbeat(database: DatabaseSync): number {
  const tables = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'owners'");
  if (tables.get() === undefined) return 0;
  return Number(database.prepare("SELECT max(seen_at) AS at FROM owners").get()?.at ?? 0);
}

/** Never overwrites an earlier one, which may be the only good copy. */
function freeName(name: string): string {
  for (let number = 2, free = name; ; free = `${name}-${number++}`) {
    if (!existsSync(free)) return free;
  }
}
