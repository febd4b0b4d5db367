import { describe, expect, test } from "vitest";
import { until } from "../../support/process.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import { entry, noon } from "../support/calls.ts";
import { createDatabase } from "../support/databases.ts";

/** What a caller may wait at most before it is told that the database is away. */
const mostWaitMs = 1_500;
const sparedMs = 500;

describe("a PostgreSQL that fails", () => {
  test("cut connections do not end the process, and the next call works", async () => {
    await throughProxy(async ({ storage, proxy, errors }) => {
      for (let round = 0; round < 5; round++) {
        await Promise.all(Array.from({ length: 8 }, () => storage.tokens.show("x")));
        await proxy.cut();
      }
      await storage.ledger.settle(entry(), null).catch(() => undefined);
      await storage.ledger.settle(entry({ requestId: "after" }), null);
      const isThere = async () =>
        (await storage.ledger.rows()).some(({ requestId }) => requestId === "after");
      await until(isThere, { label: "the row is written", timeoutMs: 10_000 });
      expect(errors.length).toBeGreaterThan(0);
    });
  }, 30_000);

  test("one that hangs is given up in 1.5 s, and used again when it answers", async () => {
    await throughProxy(async ({ storage, proxy }) => {
      await storage.ping();
      proxy.hang(true);
      const started = performance.now();
      await storage.ledger.settle(entry({ requestId: "meanwhile" }), null);
      expect(performance.now() - started).toBeLessThan(mostWaitMs + sparedMs);
      proxy.hang(false);
      await storage.ledger.settle(entry({ requestId: "after" }), null);
      const ids = async () => (await storage.ledger.rows()).map(({ requestId }) => requestId);
      const isThere = async () => (await ids()).includes("meanwhile");
      await until(isThere, { label: "the row is written late", timeoutMs: 10_000 });
      await storage.ping();
      await until(async () => (await ids()).length === 2, { label: "both", timeoutMs: 10_000 });
    });
  }, 30_000);

  test("one that is away is told at once, at the start too", async () => {
    await throughProxy(async ({ storage, proxy, database, url }) => {
      proxy.refuse();
      await proxy.cut();
      const started = performance.now();
      await storage.ping().catch(() => undefined);
      await expect(storage.ping()).rejects.toThrow();
      await expect(database.open({ databaseUrl: url })).rejects.toThrow();
      expect(performance.now() - started).toBeLessThan(mostWaitMs);
    });
  }, 30_000);

  test("more calls than connections wait their turn", async () => {
    await throughProxy(async ({ storage }) => {
      const many = Array.from({ length: 300 }, (_, at) => storage.tokens.show(`${at}`));
      expect(await Promise.all(many)).toHaveLength(300);
      expect(await storage.ledger.rows({ from: noon })).toEqual([]);
    });
  }, 30_000);
});

interface Proxied {
  readonly storage: Awaited<ReturnType<Awaited<ReturnType<typeof createDatabase>>["open"]>>;
  readonly database: Awaited<ReturnType<typeof createDatabase>>;
  readonly proxy: TcpProxy;
  readonly errors: Error[];
  readonly url: string;
}

async function throughProxy(work: (parts: Proxied) => Promise<void>): Promise<void> {
  const database = await createDatabase("postgres");
  const url = new URL(database.place.databaseUrl ?? "");
  const proxy = await startTcpProxy(url.hostname, Number(url.port));
  url.port = String(proxy.port);
  const errors: Error[] = [];
  try {
    const onError = (error: Error) => errors.push(error);
    const storage = await database.open({ databaseUrl: url.href, onError });
    await work({ storage, database, proxy, errors, url: url.href });
  } finally {
    await proxy.close();
    await database.drop();
  }
}
