import {
  chmodSync,
  closeSync,
  fchownSync,
  lchownSync,
  mkdirSync,
  openSync,
  statSync,
} from "node:fs";
import { dirname, resolve } from "node:path";

/** Only the owner may read: databases hold digests and who called when. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/**
 * Creates a database file before SQLite opens it, so that others can never read it; SQLite gives -wal
 * and -shm its mode and owner. A new file belongs to the owner of its folder: what root creates or
 * restores must stay open to the service's user.
 */
export function createPrivateFile(file: string): void {
  const created = openNew(file);
  if (created !== null) {
    const { uid, gid } = statSync(dirname(file));
    ifAllowed(() => fchownSync(created, uid, gid));
    closeSync(created);
  }
  chmodSync(file, FILE_MODE);
}

/** Creates missing folders, which belong to the owner of the folder they are in. */
export function createPrivateFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  if (first === undefined) return;
  const { uid, gid } = statSync(dirname(first));
  for (let made = resolve(folder); made.length >= first.length; made = dirname(made)) {
    const folder = made;
    ifAllowed(() => lchownSync(folder, uid, gid));
  }
}

/** Null if the file exists. */
function openNew(file: string): number | null {
  try {
    return openSync(file, "wx", FILE_MODE);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    // Tells whether it can be opened; SQLite's own error doesn't say which file it means.
    closeSync(openSync(file, "r+"));
    return null;
  }
}

/** Only root may give files away; what others create is theirs. */
function ifAllowed(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (codeOf(error) !== "EPERM") throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}
