import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
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
  const { fd, isNew } = openOrCreate(file);
  try {
    // as root, this would take a device from everybody else
    if (!fstatSync(fd).isFile()) throw new Error(`${file} is not a regular file`);
    if (isNew) {
      const { uid, gid } = statSync(dirname(file));
      ifAllowed(() => fchownSync(fd, uid, gid));
    }
    fchmodSync(fd, FILE_MODE);
  } finally {
    closeSync(fd);
  }
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

function openOrCreate(file: string): { readonly fd: number; readonly isNew: boolean } {
  try {
    return { fd: openSync(file, "wx", FILE_MODE), isNew: true };
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    // Tells whether it can be opened; SQLite's own error doesn't say which file it means.
    return { fd: openSync(file, "r+"), isNew: false };
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
