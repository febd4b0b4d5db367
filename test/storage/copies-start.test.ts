/** Many instances at once on one PostgreSQL, which has connections for few. */
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Storage, StorageOptions } from "../../src/storage/open.ts";
import { entry, perDay, wish } from "./support/calls.ts";
import { createDatabase, type TestDatabase } from "./support/databases.ts";
import { migrateTo, withDatabase } from "./support/tables.ts";

const A_WHILE = { timeout: 10_000, interval: 20 };
const COPIES = 4;

describe("a PostgreSQL with connections for few", () => {
  const role = `parley_few_${crypto.randomUUID().slice(0, 8)}`;
  let database: TestDatabase;
  let operator: pg.Client;
  let databaseUrl: string;
  beforeAll(async () => {
    database = await createDatabase("postgres");
    const url = new URL(database.place.databaseUrl ?? "");
    operator = new pg.Client({ connectionString: url.href });
    await operator.connect();
    await operator.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    await operator.query(`GRANT CREATE, USAGE ON SCHEMA public TO ${role}`);
    url.username = role;
    url.password = "secret";
    databaseUrl = url.href;
  });
  afterAll(async () => {
    await operator.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    await operator.end();
    await database.drop();
  });
  const limitTo = (connections: number) =>
    operator.query(`ALTER ROLE ${role} CONNECTION LIMIT ${connections}`);
  const connections = async () => {
    const count = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = '${role}'`;
    return Number((await operator.query(count)).rows[0].n);
  };
  const open = (options: Partial<StorageOptions> = {}) =>
    database.open({ databaseUrl, ...options });
  beforeEach(() => limitTo(-1));

  test("instances that start at once have their turn, and all serve", async () => {
    await limitTo(1);
    const waits: (string | undefined)[] = [];
    const onNotice: StorageOptions["onNotice"] = ({ reason }) => waits.push(reason);
    const opening = Promise.all(Array.from({ length: COPIES }, () => open({ onNotice })));
    const noneLeft = "the database has no connection or memory left";
    // one has the connection
    await vi.waitFor(() => expect(waits).toEqual(Array(COPIES - 1).fill(noneLeft)), A_WHILE);
    await limitTo(COPIES);
    const copies = await opening;
    const many = copies.flatMap((storage, copy) =>
      Array.from({ length: 6 }, (_, at) => ({ storage, requestId: `${copy} ${at}` })),
    );
    const write = async ({ storage, requestId }: (typeof many)[number]) => {
      await storage.ledger.settle(entry({ requestId }), null);
      return storage.tokens.create({ name: requestId });
    };
    expect(await Promise.all(many.map(write))).toHaveLength(many.length);
    expect(await copies[0]?.ledger.rows()).toHaveLength(many.length);
    for (const storage of copies) await storage.close();
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
    for (let round = 0; round < 3; round++) {
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
    await storage.close();
  });

  test("a command takes two at most, whatever is set", async () => {
    const command = await open({ oneOff: true, connections: 10 });
    await Promise.all(Array.from({ length: 20 }, (_, at) => command.tokens.show(`${at}`)));
    expect(await connections()).toBeLessThanOrEqual(2);
    await command.close();
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
      for (let call = 0; call < 20; call++) await look();
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
    const backup = "LOCK TABLE ledger IN ACCESS SHARE MODE";
    await inOperatorsHands(backup, async (database, end) => {
      const told: string[] = [];
      const onNotice: StorageOptions["onNotice"] = ({ reason = "" }) => told.push(reason);
      const opening = Promise.all(
        Array.from({ length: COPIES }, () => database.open({ onNotice })),
      );
      await vi.waitFor(() => expect(told).toContain("another process changes its tables"), A_WHILE);
      await end();
      expect(await opening).toHaveLength(COPIES);
    });
  }, 30_000);
});
