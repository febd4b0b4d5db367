import { randomUUID } from "node:crypto";
/** Calls that wait for their usage keep their reservations, whatever becomes of processes. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Token } from "../../../src/core/accounts/accounts.ts";
import type { BackgroundCall } from "../../../src/core/accounts/background.ts";
import { cost } from "../../../src/core/accounts/price.ts";
import { noQuotas, type Quotas } from "../../../src/core/accounts/quota.ts";
import { openDatabase } from "../../../src/storage/driver/database.ts";
import { createBackgroundCalls } from "../../../src/storage/ledger/background.ts";
import type { Storage } from "../../../src/storage/open.ts";
import { entry, noon, perDay, standingClock, tokenEntry, wish } from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";
import { query } from "../support/tables.ts";

const HOUR_MS = 3_600_000;
const reserved = { question: 100, answers: 900 };
const usage = { promptTokens: 10, completionTokens: 20, totalTokens: 30, cachedTokens: 0 };

eachDatabase("background calls", (kind) => {
  let database: TestDatabase;
  let storage: Storage;
  const clock = standingClock();

  beforeAll(async () => {
    database = await createDatabase(kind);
  }, 20_000);
  beforeEach(async () => {
    clock.set(noon);
    storage = await database.open({ clock });
  }, 20_000);
  afterEach(() => database.empty(), 20_000);
  afterAll(() => database.drop(), 20_000);

  const makeToken = async (quotas: Quotas = perDay({ tokens: 10_000 })) =>
    (await storage.tokens.create({ name: randomUUID(), quotas })).token;
  const callOf = async (token: Token): Promise<BackgroundCall> => {
    const result = await storage.ledger.reserve(wish(token));
    if (!result.admitted) throw new Error("not reserved");
    const unknown = {
      usage: null,
      cost: null,
      provenance: "unknown",
      upstreamId: "resp_1",
    } as const;
    return { entry: tokenEntry(token, unknown), reservation: result.reservation, reserved };
  };
  const used = async ({ id }: Token) => (await storage.ledger.used(id)).day.tokens;
  const isDue = async (inMs: number, from: Storage = storage) => {
    clock.set(noon + inMs);
    return from.background.claim(8);
  };
  const known = (call: BackgroundCall) => ({
    ...call.entry,
    usage,
    provenance: "reported" as const,
    cost: cost(usage, call.entry.price),
  });

  test("hold their reservation and have no row until they are settled, once", async () => {
    const token = await makeToken();
    const call = await callOf(token);
    expect(await storage.background.keep(call)).toBe(true);
    expect(await isDue(1_999)).toEqual([]);
    const [kept] = await isDue(2_000);
    expect(kept).toMatchObject({
      reserved,
      reservation: call.reservation,
      id: call.reservation?.id,
    });
    expect(JSON.stringify(kept?.entry)).not.toContain("192.0.2.1");
    expect([await used(token), await storage.ledger.rows()]).toEqual([1_000, []]);
    if (kept === undefined) throw new Error("not kept");
    for (let times = 0; times < 2; times += 1) await storage.background.settle(kept, known(kept));
    expect(await used(token)).toBe(30);
    expect(await storage.ledger.rows()).toMatchObject([
      { at: noon, totalTokens: 30, provenance: "reported", cost: "0.0000135" },
    ]);
    expect(await isDue(HOUR_MS)).toEqual([]);
  });

  test("that an earlier version kept are settled like others", async () => {
    const call = await callOf(await makeToken());
    await storage.background.keep(call);
    const [{ call: text = "" } = {}] = await query<{ call: string }>(
      database,
      "SELECT call FROM background_answers",
    );
    const { upstream: _, upstreamModel: __, tries: ___, ...older } = JSON.parse(text).entry;
    const kept = JSON.stringify({ ...JSON.parse(text), entry: older });
    await query(database, `UPDATE background_answers SET call = '${kept}'`);
    const [due] = await isDue(2_000);
    if (due === undefined) throw new Error("not kept");
    await storage.background.settle(due, known(due));
    const row = { totalTokens: 30, upstream: null, upstreamModel: null, tries: 0 };
    expect(await storage.ledger.rows()).toMatchObject([row]);
  });

  test("without a reservation get one row, too", async () => {
    const call = await callOf(await makeToken(noQuotas));
    expect(call.reservation).toBeNull();
    await storage.background.keep(call);
    const [kept] = await isDue(2_000);
    if (kept === undefined) throw new Error("not kept");
    await Promise.all([1, 2, 3].map(() => storage.background.settle(kept, known(kept))));
    expect(await storage.ledger.rows()).toMatchObject([{ totalTokens: 30 }]);
  });

  test("are asked about by one process at a time, and by another if that one died", async () => {
    const other = await database.open({ clock });
    for (let calls = 0; calls < 10; calls += 1) {
      await storage.background.keep(await callOf(await makeToken()));
    }
    clock.set(noon + 2_000);
    const claims = await Promise.all([storage.background.claim(8), other.background.claim(8)]);
    const ids = claims.flat().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(await isDue(2_000)).toHaveLength(10 - ids.length);
    expect(await isDue(61_999, other)).toEqual([]);
    expect(await isDue(62_000, other)).toHaveLength(8);
  });

  test("that are postponed are not due before", async () => {
    await storage.background.keep(await callOf(await makeToken()));
    const [kept] = await isDue(2_000);
    if (kept === undefined) throw new Error("not kept");
    await storage.background.postpone(kept, noon + 5_000);
    expect(await isDue(4_999)).toEqual([]);
    expect(await isDue(5_000)).toHaveLength(1);
  });

  test("are spared by the recovery after a crash, however old they are", async () => {
    const token = await makeToken();
    const call = await callOf(token);
    await storage.background.keep(call);
    await storage.close();
    clock.set(noon + 23 * HOUR_MS);
    storage = await database.open({ clock });
    expect(await storage.ledger.recover()).toBe(0);
    expect(await storage.ledger.rows()).toEqual([]);
    const [kept] = await storage.background.claim(8);
    expect(kept).toMatchObject({
      reserved,
      reservation: call.reservation,
      id: call.reservation?.id,
    });
    expect(JSON.stringify(kept?.entry)).not.toContain("192.0.2.1");
    if (kept === undefined) throw new Error("not kept");
    await storage.background.settle(kept, known(kept));
    clock.set(noon);
    expect(await used(token)).toBe(30);
  });

  test("have a bound", async () => {
    const { databaseUrl = null, sqliteFile = null } = database.place;
    const opened = await openDatabase({
      databaseUrl,
      sqliteFile,
      monotonicMs: clock.monotonicMs,
      onError: () => undefined,
      onHealth: () => undefined,
      onNotice: () => undefined,
    });
    const few = createBackgroundCalls(opened, clock, 1);
    expect(await few.keep({ entry: entry({ usage: null }), reservation: null, reserved })).toBe(
      true,
    );
    const token = await makeToken();
    const call = await callOf(token);
    expect(await few.keep(call)).toBe(false);
    await storage.ledger.settle(known(call), call.reservation);
    expect(await used(token)).toBe(30);
    await opened.driver.close();
  });
});
