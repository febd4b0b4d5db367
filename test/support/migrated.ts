/** Databases that need no migration: a copy is made in a fraction of the time. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { openStorage } from "../../src/storage/open.ts";

let file: Promise<Buffer> | undefined;

/** An empty database of this version, as its first start would have made it. */
export function migratedFile(): Promise<Buffer> {
  file ??= makeFile();
  return file;
}

export async function putMigrated(path: string): Promise<void> {
  putFile(path, await migratedFile());
}

/** A database is its owner's alone. */
export function putFile(path: string, bytes: Buffer): void {
  writeFileSync(path, bytes, { mode: 0o600 });
}

async function makeFile(): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), "parley-migrated-"));
  const path = join(folder, "parley.sqlite");
  await migrate({ sqliteFile: path });
  const bytes = readFileSync(path);
  rmSync(folder, { recursive: true });
  return bytes;
}

export async function migrate(
  place: { readonly sqliteFile: string } | { readonly databaseUrl: string },
): Promise<void> {
  await (await openStorage({ ...place, clock: systemClock, oneOff: true })).close();
}
