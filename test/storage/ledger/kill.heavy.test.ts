import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { LedgerRow } from "../../../src/core/accounts/accounts.ts";
import type { Storage } from "../../../src/storage/open.ts";
import { perDay } from "../support/calls.ts";
import { createDatabase, eachDatabase, rounds, type TestDatabase } from "../support/databases.ts";
import { endOf, startProcess } from "../support/processes.ts";

/** A process has made these calls when its time begins: some of its others are open by then. */
const callsBefore = 24;
/** Time to make more before the kill: some of it falls into every step of a transaction. */
const mostBusyMs = 120;
const atOnce = 4;
const recoveryDeadlineMs = 10_000;

eachDatabase("kill -9", (kind) => {
  test(
    `loses and doubles no acknowledged row, and no quota, in ${rounds} rounds`,
    async () => {
      const database = await createDatabase(kind);
      try {
        await killAndCount(database);
      } finally {
        await database.drop();
      }
    },
    10_000 + rounds * 3_000,
  );
});

async function killAndCount(database: TestDatabase): Promise<void> {
  const storage = await database.open({ heartbeatMs: 100, staleMs: 400 });
  const { token, secret } = await storage.tokens.create({
    name: "kill",
    quotas: perDay({ requests: 100_000_000 }),
  });
  const acknowledged: string[] = [];
  const killOne = async (round: number) => {
    const work = { place: database.place, kind: "calls", secret, parallel: 12 } as const;
    const child = await startProcess({ ...work, name: `round${round}` });
    let calls = 0;
    await new Promise<void>((resolve) => {
      child.on("message", (id) => {
        acknowledged.push(String(id));
        if (++calls === callsBefore) resolve();
      });
    });
    await sleep((mostBusyMs * (round + 1)) / rounds);
    child.kill("SIGKILL");
    await endOf(child);
  };
  // Several at once, so that one is killed while others write and recover.
  for (let round = 0; round < rounds; round += atOnce) {
    const size = Math.min(atOnce, rounds - round);
    await Promise.all(Array.from({ length: size }, (_, lane) => killOne(round + lane)));
  }
  await everythingRecovered(storage);
  expect(acknowledged.length).toBeGreaterThan(rounds);
  const { requestIds, own } = await countRows(storage, token.id);
  for (const id of acknowledged) expect(requestIds.get(id), id).toBe(1);
  expect([...requestIds.values()].every((count) => count === 1)).toBe(true);
  // What the counters say is what the rows add up to: no reservation hangs, none was lost.
  const use = await storage.ledger.used(token.id);
  expect(use.day.requests).toBe(own.length);
  expect(use.day.tokens).toBe(own.reduce((sum, row) => sum + (row.totalTokens ?? 0), 0));
  expect(own.some((row) => row.outcome === "interrupted")).toBe(true);
  checkFile(database);
}

/** The test's own process lives on and sweeps; the dead ones are known after their silence. */
async function everythingRecovered(storage: Storage): Promise<void> {
  const deadline = Date.now() + recoveryDeadlineMs;
  let quiet = 0;
  while (quiet < 10) {
    if (Date.now() > deadline) throw new Error("reservations are still being recovered");
    quiet = (await storage.ledger.recover()) === 0 ? quiet + 1 : 0;
    await sleep(100);
  }
}

async function countRows(storage: Storage, tokenId: string) {
  const requestIds = new Map<string, number>();
  const own: LedgerRow[] = [];
  for await (const row of storage.ledger.export()) {
    requestIds.set(row.requestId, (requestIds.get(row.requestId) ?? 0) + 1);
    if (row.tokenId === tokenId) own.push(row);
  }
  return { requestIds, own };
}

function checkFile({ place }: TestDatabase): void {
  if (place.sqliteFile == null) return;
  const file = new DatabaseSync(place.sqliteFile, { readOnly: true });
  expect(file.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  expect(file.prepare("SELECT count(*) AS open FROM reservations").get()).toEqual({ open: 0 });
  file.close();
}
