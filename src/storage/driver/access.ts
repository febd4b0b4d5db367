import { accessSync, constants, existsSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { sqliteCode } from "./storage-errors.ts";

/** There is no database of Parley, and none was to be created. */
export class NoDatabaseError extends Error {
  override readonly name = "NoDatabaseError";
}

/** Whether SQLite would find something to open: it takes an empty file for a new database. */
export function isEmpty(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

/** A file that this process may not use. The message is for the operator. */
export class FileAccessError extends Error {
  override readonly name = "FileAccessError";
  readonly file: string;
  /** The owner's number. */
  readonly owner: number;
  readonly user: number;

  constructor(file: string, owner: number, user: number, cause: unknown) {
    const where = `${file} belongs to user ${owner}`;
    const why =
      owner === user ? "which its mode keeps out" : `and this process runs as user ${user}`;
    super(`${where}, ${why}`, { cause });
    this.file = file;
    this.owner = owner;
    this.user = user;
  }
}

/**
 * What to throw in place of an error about a database file: the first of its files that this process
 * may not use; otherwise the error with the name of the file, which SQLite leaves out.
 */
export function explainAccess(
  file: string,
  error: unknown,
  mode = constants.R_OK | constants.W_OK,
) {
  const folder = existing(dirname(file));
  if (!statSync(folder).isDirectory()) return new Error(`${folder} is not a folder`);
  const files = ["", "-wal", "-shm"].map((end) => file + end).filter((one) => existsSync(one));
  const denied = [folder, ...files].find(
    (one) => !isAllowed(one, one === folder ? constants.X_OK | mode : mode),
  );
  if (denied === undefined) return named(file, error);
  return new FileAccessError(denied, statSync(denied).uid, ownUser(), error);
}

function named(file: string, error: unknown): unknown {
  if (!(error instanceof Error) || sqliteCode(error) === null) return error;
  return new Error(`${file}: ${error.message}`, { cause: error });
}

function existing(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existing(dirname(folder));
}

function isAllowed(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch (error) {
    // A read-only file system says so itself.
    return !(error instanceof Error && "code" in error && error.code === "EACCES");
  }
}

/** A container's user may have no name, which userInfo needs. */
function ownUser(): number {
  try {
    return statSync("/proc/self").uid;
  } catch {
    return userInfo().uid;
  }
}
