import { readdirSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { StorageSeen } from "../doctor/local.ts";

/** Where the database is elsewhere. */
export const noFolder = {
  freeBytes: null,
  walBytes: null,
  isForeign: false,
  backupDays: null,
  ageDays: null,
} as const;
const DAY_MS = 86_400_000;
const MAX_FILES = 1_000;

/** What there is to see of the folder that SQLite's file is in. */
export function folderSeen(file: string, nowMs: number): Omit<StorageSeen, "kind" | "problem"> {
  const folder = dirname(file);
  const { bavail, bsize } = statfsSync(folder);
  const daysSince = (ms: number) => Math.max(0, (nowMs - ms) / DAY_MS);
  const backups = readdirSync(folder)
    .slice(0, MAX_FILES)
    .filter((name) => /\.(?:sqlite|db|backup)$/.test(name) && !file.endsWith(`/${name}`))
    .map((name) => statSync(`${folder}/${name}`).mtimeMs);
  const { uid, birthtimeMs } = statSync(file);
  return {
    freeBytes: bavail * bsize,
    walBytes: statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    isForeign: uid !== statSync(folder).uid,
    backupDays: backups.length === 0 ? null : daysSince(Math.max(...backups)),
    ageDays: daysSince(birthtimeMs),
  };
}
