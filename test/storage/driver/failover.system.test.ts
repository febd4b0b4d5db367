import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { createLatestMoment } from "../../../src/storage/accounts/latest-moment.ts";
import { databaseOn } from "../../../src/storage/driver/database.ts";
import { createDatabaseClock } from "../../../src/storage/driver/database-clock.ts";
import { openSqlite } from "../../../src/storage/driver/sqlite.ts";
import type { StorageProblem } from "../../../src/storage/driver/storage-errors.ts";
import { announceInstance } from "../../../src/storage/ledger/instances.ts";
import { settingQueries } from "../../../src/storage/settings.ts";
import { entry } from "../support/calls.ts";
import { createDatabase, type TestDatabase } from "../support/databases.ts";
import { rawQuery } from "../support/plans.ts";

/** Longer than sessions are kept after they were found to be read-only. */
const RENEWED_MS = 1_000;
/** As many as the pool has: each can be in one commit. */
const MAX_SESSIONS = 10;
const A_WHILE = { timeout: 20_000, interval: 10 };

describe("a PostgreSQL that fails over", () => {
  let database: TestDatabase;
  let operator: pg.Client;
  let shiftMs = 0;
  const clock = { ...systemClock, monotonicMs: () => performance.now() + shiftMs };
  const readOnly = (value: "SET" | "RESET") => {
    const name = new URL(database.place.databaseUrl ?? "").pathname.slice(1);
    const setting =
      value === "SET" ? "default_transaction_read_only = on" : "default_transaction_read_only";
    return operator.query(`ALTER DATABASE ${name} ${value} ${setting}`);
  };
  const endSessions = () =>
    operator.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`);

  beforeAll(async () => {
    database = await createDatabase("postgres");
    operator = new pg.Client({ connectionString: database.place.databaseUrl ?? "" });
    await operator.connect();
  });
  afterEach(() => readOnly("RESET"));
  afterAll(async () => {
    await operator.end();
    await database.drop();
  });

  test("a write on a session that is read-only by now is made on a new one", async () => {
    const seen: (StorageProblem | null)[] = [];
    const onHealth = (problem: StorageProblem | null) => void seen.push(problem);
    const storage = await database.open({ clock, onHealth, heartbeatMs: 3_600_000 });
    await readOnly("SET");
    await endSessions();
    await storage.ledger.settle(entry(), null);
    expect(storage.problem()).toMatchObject({ cause: "read_only", code: "25006" });
    await expect(storage.ping()).rejects.toThrow("read-only");
    expect(await storage.ledger.rows()).toEqual([]);

    await readOnly("RESET");
    shiftMs += RENEWED_MS;
    const many = Array.from({ length: 20 }, (_, at) => storage.tokens.create({ name: `n${at}` }));
    expect(await Promise.all(many)).toHaveLength(20);
    await storage.ping();
    expect(seen).toEqual([expect.objectContaining({ cause: "read_only" }), null]);
  });

  test("the heartbeat finds both by itself", async () => {
    const storage = await database.open({ heartbeatMs: 50 });
    await readOnly("SET");
    await endSessions();
    await vi.waitFor(
      () => expect(storage.problem()).toMatchObject({ cause: "read_only" }),
      A_WHILE,
    );
    await readOnly("RESET");
    await vi.waitFor(() => storage.ping(), A_WHILE);
    await storage.ledger.settle(entry({ requestId: "after" }), null);
  });

  test("sessions that end cost no call but one whose commit they take along", async () => {
    const storage = await database.open({ onError: () => undefined });
    let made = 0;
    const writeAll = (calls: number) =>
      Promise.allSettled(
        Array.from({ length: calls }, () => storage.tokens.create({ name: `call ${made++}` })),
      );
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round++) {
      const [ended] = await Promise.all([writeAll(40), endSessions()]);
      const good = ended.filter((one) => one.status === "fulfilled");
      acknowledged.push(...good.map(({ value }) => value.token.name));
      expect(good.length).toBeGreaterThanOrEqual(40 - MAX_SESSIONS);
      await endSessions();
      expect((await writeAll(1)).map(({ status }) => status)).toEqual(["fulfilled"]);
    }
    const names = (await storage.tokens.list()).map(({ name }) => name);
    for (const name of acknowledged) expect(names.filter((one) => one === name)).toHaveLength(1);
  });
});

test("a SQLite that is full says so until a write finds new space", async () => {
  const seen: (string | null)[] = [];
  const database = databaseOn(await openSqlite(":memory:"), (problem) => {
    seen.push(problem?.cause ?? null);
  });
  const { driver, builder, health } = database;
  const limitTo = (pages: number) => driver.all(rawQuery(`PRAGMA max_page_count = ${pages}`));
  const { write } = settingQueries(builder);
  const large = write({ name: "large", value: "x".repeat(100_000) });
  const errors: Error[] = [];
  const latest = await createLatestMoment(database);
  const leave = await announceInstance(
    database,
    createDatabaseClock(systemClock),
    latest,
    {
      id: "one",
      name: null,
      heartbeatMs: 10,
      staleMs: 15_000,
      bringsTime: true,
      onError: (error) => errors.push(error),
      onAlive: () => undefined,
      facts: () => null,
    },
    async () => undefined,
  );
  await limitTo(1);
  await expect(driver.all(large)).rejects.toThrow("full");
  expect(health.problem()).toMatchObject({ cause: "full", code: "SQLITE_FULL" });
  await vi.waitFor(() => expect(errors.length).toBeGreaterThan(3), A_WHILE);
  expect(seen).toEqual(["full"]);
  await limitTo(1_000_000);
  await vi.waitFor(() => expect(health.problem()).toBeNull(), A_WHILE);
  await driver.all(large);
  expect(seen).toEqual(["full", null]);
  await leave();
  await driver.close();
});
