import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { openSqlite } from "./driver/sqlite.ts";

export interface RestoreOptions {
  /** A file that `Storage.backup` wrote, or a copy of a database that was not in use. */
  readonly from: string;
  /** The database that is replaced, if it is there. */
  readonly file: string;
  readonly nowMs: number;
  /** A heartbeat younger than this means that a server lives. Milliseconds. */
  readonly staleMs?: number;
}

const defaultStaleMs = 15_000;
const fileMode = 0o600;
/** SQLITE_CORRUPT and SQLITE_NOTADB: nothing to read, so it is moved away as it is. */
const unreadable = [11, 26];
const busy = 5;

/**
 * Puts a backup in the place of the database; errors are for the operator. The backup is copied
 * and checked first, the replaced database is kept beside, and the pages are written in one
 * transaction: a kill in between leaves the old database or the new one.
 */
export async function restoreSqlite(options: RestoreOptions): Promise<{ kept: string | null }> {
  const { from, file } = options;
  if (!existsSync(from)) throw new Error(`there is no file ${from}`);
  if (resolve(from) === resolve(file)) throw new Error(`${from} is the database itself`);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
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

/** A whole, sound database of ours with the tables of this version. */
async function copyChecked(from: string, to: string): Promise<void> {
  for (const end of ["", "-wal"]) {
    rmSync(to + end, { force: true });
    if (!existsSync(from + end)) continue;
    copyFileSync(from + end, to + end);
    chmodSync(to + end, fileMode);
  }
  const problem = problemIn(to);
  if (problem !== null) throw new Error(`${from} cannot be restored: ${problem}`);
  // Brings older tables up to date, refuses newer ones, and takes in the write-ahead log.
  await (await openSqlite({ file: to })).close();
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
  const source = new DatabaseSync(fresh, { readOnly: true });
  try {
    await backup(source, file);
  } finally {
    source.close();
  }
  return kept;
}

/**
 * Copies the database while nobody else has it open; false when it is no readable database. Leaving
 * the WAL needs the file for oneself, so SQLite's own locks tell whether a process uses it: at once,
 * also after a kill -9. Where locks do not reach (a folder shared between machines) the heartbeat tells.
 */
async function keepReadable(
  kept: string,
  { file, nowMs, staleMs = defaultStaleMs }: RestoreOptions,
): Promise<boolean> {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = DELETE");
    const seenAt = lastHeartbeat(database);
    if (seenAt > nowMs - staleMs) {
      const seconds = Math.ceil(staleMs / 1_000);
      throw new Error(`${file} was in use a moment ago: stop the server and wait ${seconds} s`);
    }
    await backup(database, kept);
    chmodSync(kept, fileMode);
    return true;
  } catch (error) {
    const code = resultCode(error);
    if (code === busy)
      throw new Error(`${file} is in use: stop the server first`, { cause: error });
    if (unreadable.includes(code)) return false;
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

/** An earlier one is never written over: it may be the only good copy. */
function freeName(name: string): string {
  for (let number = 2, free = name; ; free = `${name}-${number++}`) {
    if (!existsSync(free)) return free;
  }
}

function resultCode(error: unknown): number {
  const coded = error instanceof Error && "errcode" in error ? error.errcode : 0;
  return typeof coded === "number" ? coded & 0xff : 0;
}
