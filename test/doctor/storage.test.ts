/** What is said about a database, by what was seen of it. */
import { expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import type { ReachedWorld } from "../../src/doctor/check.ts";
import { checkStorage } from "../../src/doctor/checks/storage.ts";
import type { Local, StorageSeen } from "../../src/doctor/local.ts";

const MEBIBYTE = 1_048_576;
const good: StorageSeen = {
  kind: "sqlite",
  problem: null,
  freeBytes: 10_000 * MEBIBYTE,
  walBytes: 4 * MEBIBYTE,
  isForeign: false,
  backupDays: 1,
  ageDays: 100,
};

function world(seen: StorageSeen): ReachedWorld {
  return {
    url: new URL("http://127.0.0.1"),
    clock: systemClock,
    times: { silences: [], limitMs: 1_000 },
    ask: () => Promise.reject(new Error("it asks nobody")),
    admin: "admin_unset",
    arrival: null,
    isProxied: false,
    local: { storage: () => Promise.resolve(seen) } as Partial<Local> as Local, // cast: it reads no more
  };
}

test.each<[string, Partial<StorageSeen>, string[]]>([
  ["all is well", {}, ["storage_ok"]],
  ["it is PostgreSQL", { kind: "postgres", freeBytes: null, walBytes: null }, ["storage_ok"]],
  ["it takes no writes", { problem: "the disk is full" }, ["storage_no_writes"]],
  ["there is little space", { freeBytes: 100 * MEBIBYTE }, ["storage_full"]],
  ["its log is large", { walBytes: 600 * MEBIBYTE }, ["storage_wal"]],
  ["its folder is another user's", { isForeign: true }, ["storage_owner"]],
  ["the newest backup is old", { backupDays: 8 }, ["storage_backup"]],
  ["there is no backup", { backupDays: null }, ["storage_backup"]],
  ["it is in its first week", { backupDays: null, ageDays: 6 }, ["storage_ok"]],
  [
    "several things are wrong",
    { freeBytes: 0, isForeign: true },
    ["storage_full", "storage_owner"],
  ],
])("%s", async (_what, other, keys) => {
  const findings = await checkStorage(world({ ...good, ...other }));
  expect(findings.map(({ key }) => key)).toEqual(keys);
});
