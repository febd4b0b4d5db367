import { backup, DatabaseSync } from "node:sqlite";
import { createPrivateFile } from "./files.ts";

/** SQLite's largest page number fits 32 bits: all pages. */
const ALL_PAGES = 0x7fff_ffff;

/**
 * Copies a SQLite database in one step, which sees one moment of it and holds up no writer. Copied in
 * several steps, it would begin again whenever another process commits. Runs beside the thread, on a
 * connection of its own. An existing file is overwritten in one transaction.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  const source = new DatabaseSync(from, { readOnly: true });
  try {
    await copyFrom(source, to);
  } finally {
    source.close();
  }
}

/** The same, from a connection that nothing else uses meanwhile. */
export async function copyFrom(source: DatabaseSync, to: string): Promise<void> {
  createPrivateFile(to);
  await backup(source, to, { rate: ALL_PAGES });
}
