import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { postJson } from "../support/http.ts";
import { startScene } from "../support/scene.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { createDatabase, type TestDatabase } from "./support/databases.ts";

const MOST_WAIT_MS = 1_500;
const SPARED_MS = 500;
/** Nobody calls, so a heartbeat must find it; the contract says 5 s. */
const RECOVERY = { timeout: 5_000, interval: 50 };

const get = (url: string) => postJson(url, undefined, { method: "GET" });

describe("a server whose PostgreSQL fails", () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let origin: string;
  let log: readonly string[];
  beforeAll(async () => {
    database = await createDatabase("postgres");
    const url = new URL(database.place.databaseUrl ?? "");
    proxy = await startTcpProxy(url.hostname, Number(url.port));
    url.port = String(proxy.port);
    const { parley } = await startScene({ DATABASE_URL: url.href });
    ({ origin, log } = parley);
  });
  afterAll(async () => {
    await proxy.close();
    await database.drop();
  });

  const isReady = async (ready: boolean) => {
    const { status, json } = await get(`${origin}/readyz`);
    expect([status, json]).toMatchObject([ready ? 200 : 503, { checks: { database: ready } }]);
    const metrics = await get(`${origin}/metrics`);
    expect(metrics.text).toContain(`parley_database_up ${ready ? 1 : 0}\n`);
  };

  test("that is read-only says so by itself, and that it is over", async () => {
    const operator = new pg.Client({ connectionString: database.place.databaseUrl ?? "" });
    await operator.connect();
    const name = new URL(database.place.databaseUrl ?? "").pathname.slice(1);
    await isReady(true);
    await operator.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await proxy.cut();
    await vi.waitFor(() => isReady(false), RECOVERY);
    await operator.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
    await vi.waitFor(() => isReady(true), RECOVERY);
    await operator.end();
    const told = log.filter((line) => line.includes("the database takes"));
    expect(told.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        msg: "the database takes no writes",
        cause: "read_only",
        reason: "the database is read-only",
        driver_code: "25006",
      }),
      expect.objectContaining({ msg: "the database takes writes again" }),
    ]);
  });

  test("that is silent is told within 1.5 s", async () => {
    proxy.hang(true);
    const startedMs = performance.now();
    const { status } = await get(`${origin}/readyz`);
    expect(status).toBe(503);
    expect(performance.now() - startedMs).toBeLessThan(MOST_WAIT_MS + SPARED_MS);
    proxy.hang(false);
    await vi.waitFor(() => isReady(true), RECOVERY);
  });
});
