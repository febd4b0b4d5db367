/** Open calls and their quotas, while the database or a process pauses. */
import pg from "pg";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { Token } from "../../../src/core/accounts/accounts.ts";
import type { Storage } from "../../../src/storage/open.ts";
import { noon, perDay, standingClock, tokenEntry, wish } from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

eachDatabase("heartbeats that were missing", (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(kind);
  });
  afterEach(() => database.empty());
  afterAll(() => database.drop());

  const twoProcesses = async () => {
    const clock = standingClock();
    const storages = [await database.open({ clock }), await database.open({ clock })] as const;
    const { token } = await storages[0].tokens.create({
      name: "ada",
      quotas: perDay({ tokens: 3_000 }),
    });
    const reserve = () => storages[0].ledger.reserve(wish(token, { tokens: 2_000 }));
    const result = await reserve();
    if (!result.admitted) throw new Error("not admitted");
    const look = async (ms: number, storage: Storage = storages[1]) => {
      clock.set(noon + ms);
      return storage.ledger.recover();
    };
    return { clock, token, storages, reserve, look, reservation: result.reservation };
  };

  test("of all processes at once cost no open call its reservation", async () => {
    const { reserve, look } = await twoProcesses();
    expect(await look(40 * SECOND_MS)).toBe(0);
    expect(await look(42 * SECOND_MS)).toBe(0);
    expect(await look(70 * SECOND_MS)).toBe(0);
    expect(await reserve()).toMatchObject({ admitted: false });
  });

  test("of one process are told apart from an outage, also one that began in between", async () => {
    const { look, storages, token } = await twoProcesses();
    for (let ms = 3_000; ms <= 15_000; ms += 3_000) expect(await look(ms)).toBe(0);
    expect(await look(18 * SECOND_MS)).toBe(1);
    expect((await storages[1].ledger.used(token.id)).day.tokens).toBe(0);
  });

  test("of a process that died in an outage are noticed after it", async () => {
    const { look } = await twoProcesses();
    let recovered = 0;
    for (let ms = 40_000; ms <= 58_000; ms += 3_000) recovered += await look(ms);
    expect(recovered).toBe(1);
  });

  test("come from the future when the clock goes back, and don't last longer for it", async () => {
    const { clock, look } = await twoProcesses();
    clock.set(noon - HOUR_MS);
    const late = await database.open({ clock });
    expect(await late.ledger.rows()).toMatchObject([{ outcome: "interrupted" }]);
    expect(await look(-HOUR_MS)).toBe(0);
  });
});

test("a refused call takes nothing, even if PostgreSQL reserves for it after all", async () => {
  const database = await createDatabase("postgres");
  const operator = new pg.Client({ connectionString: database.place.databaseUrl ?? "" });
  try {
    await operator.connect();
    const storage = await database.open({ heartbeatMs: 100 });
    const create = async (name: string): Promise<Token> =>
      (await storage.tokens.create({ name, quotas: perDay({ tokens: 3_000 }) })).token;
    const [token, other] = [await create("ada"), await create("bob")];
    await operator.query("BEGIN; SELECT * FROM quota_use FOR UPDATE");
    const ask = (of: Token) => storage.ledger.reserve(wish(of, { tokens: 2_000, at: Date.now() }));
    const calls = await Promise.allSettled([token, other, token, token].map(ask));
    expect(calls.map(({ status }) => status)).toEqual(Array(calls.length).fill("rejected"));
    await operator.query("COMMIT");
    const takesNothing = async () => {
      const { rows } = await operator.query("SELECT * FROM reservations");
      expect(rows).toEqual([]);
      for (const { id } of [token, other]) {
        expect((await storage.ledger.used(id)).day).toMatchObject({ tokens: 0, requests: 0 });
      }
    };
    // before that, the server still works on what nobody waits for
    await vi.waitFor(async () => {
      const waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
      expect((await operator.query(waiting)).rowCount).toBe(0);
    });
    await vi.waitFor(takesNothing, { timeout: 5_000, interval: 50 });
    const admitted = await ask(token);
    expect(admitted).toMatchObject({ admitted: true });
    if (admitted.admitted) await storage.ledger.settle(tokenEntry(token), admitted.reservation);
    expect(await storage.ledger.rows()).toHaveLength(1);
  } finally {
    await operator.end();
    await database.drop();
  }
}, 30_000);
