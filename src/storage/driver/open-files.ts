import { statSync } from "node:fs";

/** SQLITE_READONLY_DBMOVED, which SQLite itself does not look for with a write-ahead log. */
const DBMOVED = 1_032;

/** SQLite goes on in files that have no name any more, and what it writes there is lost. */
export class MovedFileError extends Error {
  override readonly name = "MovedFileError";
  readonly errcode = DBMOVED;

  constructor(file: string) {
    super(`${file} is no longer the file that was opened: put it back, or restart Parley`);
  }
}

/** Returns how to see whether the files of an open database are still where they were. */
export function watchFiles(file: string): () => MovedFileError | null {
  const opened = [file, `${file}-wal`].map((name) => ({ name, id: idOf(name) }));
  return () => {
    const moved = opened.find(({ name, id }) => id !== null && idOf(name) !== id);
    return moved === undefined ? null : new MovedFileError(moved.name);
  };
}

function idOf(file: string): bigint | null {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}
