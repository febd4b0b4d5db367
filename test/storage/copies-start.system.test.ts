/** Many instances at once on one PostgreSQL, which has connections for few. */
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { migrations } from "../../src/storage/migrations/all.ts";
import type { Storage, StorageOptions } from "../../src/storage/open.ts";
import { entry, perDay, wish } from "./support/calls.ts";
import { createBareDatabase, type TestDatabase } from "./support/databases.ts";
import { migrateTo, query, withDatabase } from "./support/tables.ts";

const A_WHILE = { timeout: 10_000, interval: 20 };
const COPIES = 4;

describe("a PostgreSQL with connections for few", () => {
  const role = `parley_few_${crypto.randomUUID().slice(0, 8)}`;
  let database: TestDatabase;
  let operator: pg.Client;
  /** In no transaction, in which it would see the same numbers again and again. */
  let observer: pg.Client;
  let databaseUrl: string;
  beforeAll(async () => {
    database = await createBareDatabase("postgres");
    const url = new URL(database.place.databaseUrl ?? "");
    operator = new pg.Client({ connectionString: url.href });
    observer = new pg.Client({ connectionString: url.href });
    await Promise.all([operator.connect(), observer.connect()]);
    await operator.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    await operator.query(`GRANT CREATE, USAGE ON SCHEMA public TO ${role}`);
    url.username = role;
    url.password = "secret";
    databaseUrl = url.href;
  });
  afterAll(async () => {
    await operator.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    await Promise.all([operator.end(), observer.end()]);
    await database.drop();
  });
  const limitTo = (connections: number) =>
    operator.query(`ALTER ROLE ${role} CONNECTION LIMIT ${connections}`);
  const connections = async () => {
    const count = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = '${role}'`;
    return Number((await observer.query(count)).rows[0].n);
  };
  const open = (options: Partial<StorageOptions> = {}) =>
    database.open({ databaseUrl, ...options });
  beforeEach(() => limitTo(-1));
  afterEach(() => database.empty());

  test("instances that start at once have their turn, and all serve", async () => {
    await limitTo(1);
    const waits: (string | undefined)[] = [];
    const onNotice: StorageOptions["onNotice"] = ({ reason }) => waits.push(reason);
    const opening = Promise.all(
      Array.from({ length: COPIES }, () => open({ onNotice, connections: 3 })),
    );
    const noneLeft = "the database has no connection or memory left";
    // one has the connection
    await vi.waitFor(() => expect(waits).toEqual(Array(COPIES - 1).fill(noneLeft)), A_WHILE);
    await limitTo(COPIES);
    const copies = await opening;
    const many = copies.flatMap((storage, copy) =>
      Array.from({ length: 3 }, (_, at) => ({ storage, requestId: `${copy} ${at}` })),
    );
    const write = async ({ storage, requestId }: (typeof many)[number]) => {
      await storage.ledger.settle(entry({ requestId }), null);
      return storage.tokens.create({ name: requestId });
    };
    expect(await Promise.all(many.map(write))).toHaveLength(many.length);
    expect(await copies[0]?.ledger.rows()).toHaveLength(many.length);
  });

  test("a start that never has a connection ends with the reason", async () => {
    await limitTo(0);
    await expect(open({ startWaitMs: 300 })).rejects.toMatchObject({ code: "53300" });
  });

  test("an instance has no more connections than are set, whatever hangs on the server", async () => {
    const most = 3;
    const storage = await open({ connections: most, onError: () => undefined });
    const tokens = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        storage.tokens.create({ name: `t${at}`, quotas: perDay({ requests: 100 }) }),
      ),
    );
    await operator.query("BEGIN; LOCK TABLE quota_use, ledger IN ACCESS EXCLUSIVE MODE");
    const ask = () =>
      Promise.allSettled(
        tokens.map(({ token }) => storage.ledger.reserve(wish(token, { at: Date.now() }))),
      );
    const seen: number[] = [];
    // each round gives up what the server goes on with as long as the lock is held
    for (let round = 0; round < 2; round++) {
      expect((await ask()).map(({ status }) => status)).not.toContain("fulfilled");
      await vi.waitFor(async () => {
        seen.push(await connections());
        expect(seen.at(-1)).toBeLessThanOrEqual(most);
      }, A_WHILE);
    }
    await operator.query("COMMIT");
    await vi.waitFor(
      async () => expect((await ask()).map(({ status }) => status)).not.toContain("rejected"),
      A_WHILE,
    );
  });

  test("a command takes two at most, whatever is set", async () => {
    const command = await open({ oneOff: true, connections: 10 });
    await Promise.all(Array.from({ length: 20 }, (_, at) => command.tokens.show(`${at}`)));
    expect(await connections()).toBeLessThanOrEqual(2);
  });
});

describe("a migration that finds its tables in use", () => {
  const inOperatorsHands = async (
    lock: string,
    work: (database: TestDatabase, end: () => Promise<unknown>) => Promise<void>,
  ) => {
    await withDatabase("postgres", async (database) => {
      await migrateTo("0002-conversations", database);
      const operator = new pg.Client({ connectionString: database.place.databaseUrl ?? "" });
      await operator.connect();
      try {
        await operator.query(`BEGIN; ${lock}`);
        await work(database, () => operator.query("COMMIT"));
      } finally {
        await operator.end();
      }
    });
  };

  test("lets calls pass while it waits for a backup, and then is made", async () => {
    const backup = "LOCK TABLE ledger IN ACCESS SHARE MODE";
    await inOperatorsHands(backup, async (database, end) => {
      const told: string[] = [];
      let isOpen = false;
      const opening = database
        .open({ onNotice: ({ reason = "" }) => told.push(reason) })
        .finally(() => {
          isOpen = true;
        });
      const caller = new pg.Client({ connectionString: database.place.databaseUrl ?? "" });
      await caller.connect();
      await caller.query("SET statement_timeout = 1400");
      const look = () => caller.query("SELECT count(*) FROM ledger");
      // it has given way at least once by then
      await vi.waitFor(async () => {
        await look();
        expect(told).toEqual(["other sessions use the tables that it changes"]);
      }, A_WHILE);
      for (let call = 0; call < 5; call++) await look();
      expect(isOpen).toBe(false);
      await caller.end();
      await end();
      const storage: Storage = await opening;
      await storage.ledger.settle(entry(), null);
      expect(await storage.ledger.rows()).toHaveLength(1);
    });
  }, 30_000);

  test("waits no longer than it may, says so, and leaves nothing half done", async () => {
    const backup = "LOCK TABLE ledger IN ACCESS SHARE MODE";
    await inOperatorsHands(backup, async (database, end) => {
      await expect(database.open({ startWaitMs: 0 })).rejects.toThrow(
        "another session held a lock",
      );
      await end();
      await (await database.open()).close();
    });
  });

  test("of several that start at once one is made, and the others say that they wait", async () => {
    const another = "SELECT pg_advisory_xact_lock(7236524017)";
    await inOperatorsHands(another, async (database, end) => {
      const told: string[] = [];
      const onNotice: StorageOptions["onNotice"] = ({ reason = "" }) => told.push(reason);
      const opening = Promise.all(
        Array.from({ length: COPIES }, () => database.open({ onNotice })),
      );
      const waits = Array(COPIES).fill("another process changes its tables");
      await vi.waitFor(() => expect(told).toEqual(waits), A_WHILE);
      await end();
      expect(await opening).toHaveLength(COPIES);
      const done = await query<{ name: string }>(database, "SELECT name FROM parley_migration");
      expect(done.map(({ name }) => name)).toEqual(Object.keys(migrations));
    });
  }, 30_000);
});
