import { copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { expect, onTestFinished, test, vi } from "vitest";
import type { LostRow } from "../../../src/storage/ledger/settle.ts";
import { entry } from "../support/calls.ts";
import { createDatabase } from "../support/databases.ts";

async function scene() {
  const database = await createDatabase("sqlite");
  onTestFinished(() => database.drop());
  const lost: LostRow[] = [];
  const storage = await database.open({ heartbeatMs: 20, onLost: (row) => lost.push(row) });
  await storage.ledger.settle(entry({ requestId: "before" }), null);
  return { storage, lost, file: database.place.sqliteFile ?? "" };
}

test.each([
  ["moved", (file: string) => renameSync(file, `${file}.moved`)],
  [
    "replaced",
    (file: string) => {
      copyFileSync(file, `${file}.copy`);
      renameSync(`${file}.copy`, file);
    },
  ],
  ["left without its log", (file: string) => rmSync(`${file}-wal`)],
])(
  "a database that was %s takes no writes, since nobody would find them",
  async (_how, harm) => {
    const { storage, lost, file } = await scene();
    harm(file);
    await vi.waitFor(() =>
      expect(storage.problem()).toMatchObject({ cause: "moved", errcode: 1032 }),
    );
    await expect(storage.ping()).rejects.toThrow("moved, deleted or replaced");
    await expect(storage.tokens.create({ name: "ada" })).rejects.toThrow("no longer the file");
    expect(await storage.ledger.rows()).toHaveLength(1);
    await storage.ledger.settle(entry({ requestId: "after" }), null);
    await storage.close();
    expect(lost).toMatchObject([{ request_id: "after" }]);
  },
  20_000,
);

test("it goes on when its file is back", async () => {
  const { storage, file } = await scene();
  renameSync(file, `${file}.moved`);
  await vi.waitFor(() => expect(storage.problem()).not.toBeNull());
  expect(existsSync(file)).toBe(false);
  const waiting = storage.ledger.settle(entry({ requestId: "after" }), null);
  renameSync(`${file}.moved`, file);
  await vi.waitFor(() => storage.ping());
  await waiting;
  await vi.waitFor(async () => expect(await storage.ledger.rows()).toHaveLength(2), {
    timeout: 5_000,
  });
}, 20_000);
