import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { migrations } from "../../../src/storage/migrations/all.ts";
import { openStorage } from "../../../src/storage/open.ts";
import { entry, noon } from "../support/calls.ts";
import { eachDatabase, type TestDatabase } from "../support/databases.ts";
import { endOf, messageOf, startProcess } from "../support/processes.ts";
import { migrateTo, query, withDatabase } from "../support/tables.ts";

eachDatabase("migrations", (kind) => {
  test("four starters at once end with one set of tables", async () => {
    await withDatabase(kind, async (database) => {
      const children = await Promise.all(
        ["a", "b", "c", "d"].map((name) => starter(database, name)),
      );
      const migrated = children.map((child) => messageOf(child));
      for (const child of children) child.send("go");
      expect(await Promise.all(migrated)).toEqual(Array(4).fill("migrated"));
      expect(await query(database, "SELECT name FROM parley_migration")).toEqual(
        Object.keys(migrations).map((name) => ({ name })),
      );
    });
  }, 60_000);

  test("a starter that is killed leaves nothing half done", async () => {
    await withDatabase(kind, async (database) => {
      for (let waitMs = 0; waitMs < 60; waitMs += 12) {
        const child = await starter(database, "killed");
        child.send("go");
        await sleep(waitMs);
        child.kill("SIGKILL");
        await endOf(child);
      }
      const storage = await database.open();
      await storage.ledger.settle(entry(), null);
      expect(await storage.ledger.rows()).toHaveLength(1);
    });
  }, 60_000);

  test("rows of a ledger that was kept by id are all there, and new ones join them", async () => {
    await withDatabase(kind, async (database) => {
      await migrateTo("0002-conversations", database);
      await query(database, `INSERT INTO ledger VALUES ${[3, 1, 2].map(oldRow).join()}`);
      const stored = () => query(database, "SELECT * FROM ledger ORDER BY at");
      const before = await stored();
      expect(before).toHaveLength(3);
      const migrated = await database.open();
      // Later migrations may add columns.
      expect(await stored()).toMatchObject(before);
      await migrated.ledger.settle(entry({ requestId: "req-4", at: noon + 4 }), null);
      expect((await migrated.ledger.rows()).map(({ requestId }) => requestId)).toEqual([
        ...["req-4", "req-3", "req-2", "req-1"],
      ]);
      expect(await migrated.ledger.purge(noon + 3)).toBe(2);
    });
  }, 60_000);
});

test("a SQLite file is its owner's only, survives what it should, and is backed up while in use", async () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-file-"));
  const file = join(folder, "deep", "parley.sqlite");
  const storage = await openStorage({
    sqliteFile: file,
    clock: systemClock,
  });
  await storage.ledger.settle(entry(), null);
  for (const name of [file, `${file}-wal`, `${file}-shm`]) {
    expect(statSync(name).mode & 0o777, name).toBe(0o600);
  }
  const copy = join(folder, "copy.sqlite");
  await Promise.all([storage.backup(copy), storage.ledger.settle(entry(), null)]);
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  await storage.close();
  const restored = await openStorage({ sqliteFile: copy, clock: systemClock });
  expect((await restored.ledger.rows()).length).toBeGreaterThan(0);
  await restored.close();
  rmSync(folder, { recursive: true });
  expect(existsSync(folder)).toBe(false);
});

/** In the order of the columns that 0001 created. No two are alike, so that a swap is noticed. */
function oldRow(n: number): string {
  return `('row-${n}', 'settled', 'req-${n}', ${noon + n}, 'token', 'token-1', 'ab', 'openai', 'asked',
    'answered', 1, 2, 3, 4, '1,1,2', 5, 'reported', 'completed', 'cancel', 200, 'none', 6, 7, 'up')`;
}

function starter(database: TestDatabase, name: string) {
  return startProcess({ place: database.place, kind: "migrate", secret: "", parallel: 0, name });
}
