import { type Finding, fault, ok, type RunCheck, skipped, warning } from "../check.ts";
import type { StorageSeen } from "../local.ts";

const MEBIBYTE = 1_048_576;
const MIN_FREE_MEBIBYTES = 256;
/** SQLite folds it back at about 4 MiB; a reader that never ends keeps it growing. */
const MAX_WAL_MEBIBYTES = 512;
const MAX_BACKUP_DAYS = 7;

/** Does the database take writes, and has it room? */
export const checkStorage: RunCheck = async ({ local }) => {
  return storageFindings(await local.storage());
};

export function storageFindings(seen: StorageSeen | null): readonly Finding[] {
  if (seen === null) return [skipped("storage_elsewhere")];
  if (seen.problem !== null) return [fault("storage_no_writes", { reason: seen.problem })];
  const findings = [...room(seen), ...upkeep(seen)];
  return findings.length > 0 ? findings : [ok("storage_ok", { kind: seen.kind })];
}

function room({ freeBytes, walBytes }: StorageSeen) {
  const free = freeBytes === null ? null : Math.floor(freeBytes / MEBIBYTE);
  const wal = Math.floor((walBytes ?? 0) / MEBIBYTE);
  return [
    ...(free !== null && free < MIN_FREE_MEBIBYTES
      ? [fault("storage_full", { mebibytes: free })]
      : []),
    ...(wal > MAX_WAL_MEBIBYTES ? [warning("storage_wal", { mebibytes: wal })] : []),
  ];
}

function upkeep({ kind, isForeign, backupDays, ageDays }: StorageSeen) {
  const age = backupDays ?? ageDays ?? 0;
  const isOld = kind === "sqlite" && age > MAX_BACKUP_DAYS;
  return [
    ...(isForeign ? [warning("storage_owner")] : []),
    ...(isOld ? [warning("storage_backup", { days: Math.floor(age) })] : []),
  ];
}
