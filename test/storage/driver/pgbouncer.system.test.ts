import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { parleyHere } from "../../admin/support.ts";
import { postJson } from "../../support/http.ts";
import { startPair } from "../../support/pair.ts";
import { type PgBouncer, startPgBouncer } from "../../support/pgbouncer.ts";
import { entry, perDay, tokenEntry, wish } from "../support/calls.ts";
import { createDatabase, type TestDatabase } from "../support/databases.ts";

const RECOVERY = { timeout: 5_000, interval: 20 };

describe("behind PgBouncer, which pools transactions", { tags: "pgbouncer" }, () => {
  let database: TestDatabase;
  let bouncer: PgBouncer;
  beforeAll(async () => {
    database = await createDatabase("postgres");
    bouncer = await startPgBouncer(database.place.databaseUrl ?? "");
  });
  afterAll(async () => {
    await bouncer.close();
    await database.drop();
  });

  test("it starts, and more calls at once than sessions are all served", async () => {
    const storage = await database.open({ databaseUrl: bouncer.url });
    const quotas = perDay({ requests: 64 });
    const { secret } = await storage.tokens.create({ name: "many", quotas });
    const { token } = (await storage.tokens.find(secret)) ?? {};
    if (token === undefined) throw new Error("no such token");
    const calls = await Promise.all(
      Array.from({ length: 64 }, async () => {
        const result = await storage.ledger.reserve(wish(token));
        if (!result.admitted) return false;
        await storage.ledger.settle(tokenEntry(token), result.reservation);
        return true;
      }),
    );
    expect(calls).toEqual(Array(64).fill(true));
    expect(await storage.ledger.reserve(wish(token))).toMatchObject({ admitted: false });
    expect(await storage.ledger.purge(0)).toBe(0);
    await storage.ping();
  });

  test("the command and a process of the server use it, and nothing is said on stderr", async () => {
    const env = { DATABASE_URL: `${bouncer.url}?sslmode=prefer` };
    const made = await parleyHere(env, ["token", "create", "--name", "x", "--json"]);
    expect([made.code, made.err]).toEqual([0, ""]);
    const { parley } = await startPair(env);
    const ready = await postJson(`${parley.url}/readyz`, undefined, { method: "GET" });
    expect(ready.status).toBe(200);
    expect(parley.stderr()).toBe("");
  });

  test("connections of the pooler that are read-only are not used again", async () => {
    const direct = new pg.Client({ connectionString: database.place.databaseUrl ?? "" });
    await direct.connect();
    onTestFinished(async () => {
      await set("RESET default_transaction_read_only");
      await direct.end();
    });
    const name = new URL(bouncer.url).pathname.slice(1);
    const set = (text: string) => direct.query(`ALTER DATABASE ${name} ${text}`);
    const storage = await database.open({ databaseUrl: bouncer.url, heartbeatMs: 100 });
    await set("SET default_transaction_read_only = on");
    await direct.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`);
    await vi.waitFor(
      () => expect(storage.problem()).toMatchObject({ cause: "read_only" }),
      RECOVERY,
    );
    let made = 0;
    const writeOne = () => storage.tokens.create({ name: `n${made++}` });
    const writeMany = () => Promise.all(Array.from({ length: 30 }, writeOne));
    // Several connections of the pooler become read-only.
    await expect(writeMany()).rejects.toThrow();
    await set("RESET default_transaction_read_only");
    await vi.waitFor(writeMany, RECOVERY);
    await vi.waitFor(() => storage.ping(), RECOVERY);
  });

  test("no session keeps a lock or a setting of ours for whoever gets it next", async () => {
    const storage = await database.open({ databaseUrl: bouncer.url });
    await storage.ledger.settle(entry(), null);
    await storage.ledger.rows();
    const client = new pg.Client({ connectionString: bouncer.url });
    await client.connect();
    const one = async (text: string) => (await client.query(text)).rows[0];
    expect(await one("SHOW statement_timeout")).toEqual({ statement_timeout: "0" });
    expect(await one("SHOW idle_in_transaction_session_timeout")).toEqual({
      idle_in_transaction_session_timeout: "0",
    });
    expect(
      await one(`SELECT count(*)::int AS locks FROM pg_locks WHERE locktype = 'advisory'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`),
    ).toEqual({ locks: 0 });
    await client.end();
  });
});
