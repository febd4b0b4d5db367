import { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { databaseOn } from "../../../src/storage/driver/database.ts";
import { openSqlite } from "../../../src/storage/driver/sqlite.ts";
import { createLedger } from "../../../src/storage/ledger/ledger.ts";
import type { LostRow } from "../../../src/storage/ledger/settle.ts";
import { until } from "../../support/process.ts";
import { entry, perDay, tokenEntry, wish } from "../support/calls.ts";
import { createDatabase } from "../support/databases.ts";

/** How long an answer may be held, and what a busy machine may add. */
const MOST_MS = 1_500;
const SPARED_MS = 1_000;
const MAX_UNWRITTEN = 10_000;

async function locked() {
  const database = await createDatabase("sqlite");
  onTestFinished(() => database.drop());
  const lost: LostRow[] = [];
  const storage = await database.open({ onLost: (row) => lost.push(row) });
  const { token } = await storage.tokens.create({ name: "ann", quotas: perDay({ tokens: 5_000 }) });
  const result = await storage.ledger.reserve(wish(token, { tokens: 1_000 }));
  if (!result.admitted) throw new Error("not admitted");
  const holder = new DatabaseSync(database.place.sqliteFile ?? "");
  onTestFinished(() => holder.close());
  holder.exec("BEGIN EXCLUSIVE");
  return { database, storage, token, reservation: result.reservation, holder, lost };
}

test("rows wait for a locked database, and are written once when it is free", async () => {
  const { storage, token, reservation, holder, lost } = await locked();
  const startedMs = performance.now();
  const settle = () => storage.ledger.settle(tokenEntry(token), reservation);
  await Promise.all([settle(), settle(), storage.ledger.settle(entry({ requestId: "b" }), null)]);
  expect(performance.now() - startedMs).toBeLessThan(MOST_MS + SPARED_MS);
  expect((await storage.ledger.used(token.id)).day.tokens).toBe(1_000);
  holder.exec("COMMIT");
  await until(async () => (await storage.ledger.rows()).length >= 2, {
    label: "the rows are written",
    timeoutMs: 5_000,
  });
  expect(await storage.ledger.rows()).toHaveLength(2);
  expect((await storage.ledger.used(token.id)).day).toMatchObject({ tokens: 150, requests: 1 });
  expect(lost).toEqual([]);
});

test("the steps of one call wait together, not one after the other", async () => {
  const { storage, token } = await locked();
  const startedMs = performance.now();
  for (let step = 0; step < 5; step += 1) {
    await expect(storage.tokens.revoke(token.id)).rejects.toThrow();
    await expect(storage.ledger.reserve(wish(token))).rejects.toThrow();
    await storage.ledger.settle(entry(), null);
  }
  expect(performance.now() - startedMs).toBeLessThan(MOST_MS + SPARED_MS);
});

test("what doesn't fit into the queue, or is left at the end, is given out whole", async () => {
  const { storage, token, reservation, lost } = await locked();
  const settled = Array.from({ length: MAX_UNWRITTEN + 5 }, (_, at) =>
    storage.ledger.settle(entry({ requestId: `req-${at}` }), null),
  );
  await Promise.all(settled);
  await until(() => lost.length >= 5, { label: "rows are given out", timeoutMs: 5_000 });
  expect(lost).toHaveLength(5);
  expect(lost[0]).toMatchObject({ model: "gpt-4o-mini", total_tokens: 150, payer_kind: "visitor" });
  await storage.ledger.settle(tokenEntry(token), reservation);
  expect(lost.at(-1)).toMatchObject({ id: reservation?.id, token_id: token.id, cost: "42000000" });
  await storage.close();
  expect(new Set(lost.map(({ request_id }) => request_id)).size).toBe(MAX_UNWRITTEN + 5);
});

test("a full disk costs no row either", async () => {
  const database = await createDatabase("sqlite");
  onTestFinished(() => database.drop());
  const driver = await openSqlite(database.place.sqliteFile ?? "");
  const opened = databaseOn(driver);
  const pragma = (text: string) => driver.all(sql.raw(text).compile(opened.builder));
  const lost: LostRow[] = [];
  const { ledger, close } = createLedger(opened, systemClock, {
    instanceId: "one",
    staleMs: 15_000,
    onLost: (row) => lost.push(row),
  });
  onTestFinished(close);
  await pragma("PRAGMA max_page_count = 1");
  const many = (first: number) =>
    Promise.all(
      Array.from({ length: 200 }, (_, at) =>
        ledger.settle(entry({ requestId: `req-${first + at}` }), null),
      ),
    );
  for (let first = 0; first < 1_000; first += 200) await many(first);
  expect((await ledger.rows({ limit: 1_000 })).length).toBeLessThan(1_000);
  await pragma("PRAGMA max_page_count = 1000000");
  await until(async () => (await ledger.rows({ limit: 1_000 })).length === 1_000, {
    label: "the rows are written",
    timeoutMs: 10_000,
  });
  expect(lost).toEqual([]);
});
