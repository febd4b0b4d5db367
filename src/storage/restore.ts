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

const problems = {
  no_file: "is not there",
  not_regular: "is not a regular file",
  database_itself: "is the database itself",
  not_restorable: "cannot be restored",
  not_parley: "cannot be restored: it is not a database of Parley",
  was_in_use: "was in use a moment ago: stop the server and wait",
  in_use: "is in use: stop the server first",
} as const;

/** Why nothing was restored. The key is for the command, which has texts for people. */
export class RestoreError extends Error {
  override readonly name = "RestoreError";
  readonly key: keyof typeof problems;
  readonly file: string;
  /** In the words of the database, or how many seconds to wait. */
  readonly detail: string;

  constructor(
    key: keyof typeof problems,
    about: { file: string; detail?: string; cause?: unknown },
  ) {
    const { file, detail = "", cause } = about;
    super([`${file} ${problems[key]}`, detail].filter(Boolean).join(": "), { cause });
    this.key = key;
    this.file = file;
    this.detail = detail;
  }
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
  if (!existsSync(from)) throw new RestoreError("no_file", { file: from });
  if (!statSync(from).isFile()) throw new RestoreError("not_regular", { file: from });
  if (resolve(from) === resolve(file)) throw new RestoreError("database_itself", { file: from });
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
  if (problem === NOT_PARLEY) throw new RestoreError("not_parley", { file: from });
  if (problem !== null) throw new RestoreError("not_restorable", { file: from, detail: problem });
  try {
    // Migrates older tables, refuses those it can't serve, and merges the write-ahead log.
    await (await openSqlite(to)).close();
  } catch (error) {
    throw new RestoreError("not_restorable", { file: from, detail: reasonOf(error), cause: error });
  }
}

const NOT_PARLEY = "not Parley's";

function problemIn(file: string): string | null {
  const database = new DatabaseSync(file);
  try {
    const [row] = database.prepare("PRAGMA integrity_check(1)").all();
    const verdict = String(row?.integrity_check);
    if (verdict !== "ok") return verdict;
    const tables = database.prepare(
      "SELECT count(*) AS found FROM sqlite_schema WHERE name IN ('tokens', 'ledger', 'prices')",
    );
    return tables.get()?.found === 3 ? null : NOT_PARLEY;
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
      throw new RestoreError("was_in_use", { file, detail: String(STALE_MS / 1_000) });
    }
    await copyFrom(database, kept);
    return true;
  } catch (error) {
    const code = sqliteCode(error);
    if (code === SQLITE_BUSY) {
      throw new RestoreError("in_use", { file, cause: error });
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
