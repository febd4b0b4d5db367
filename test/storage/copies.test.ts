/** Several instances on one database: who is alive, and what becomes of the dead. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { Storage } from "../../src/storage/open.ts";
import { perDay, tokenEntry, wish } from "./support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "./support/databases.ts";
import { query } from "./support/tables.ts";

const A_WHILE = { timeout: 10_000, interval: 10 };
const HOUR_MS = 3_600_000;
/** More than a recovery takes at once. */
const OPEN_CALLS = 150;

eachDatabase("instances", (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(kind);
  });
  afterEach(() => database.empty());
  afterAll(() => database.drop());

  /** One that will not be heard again, as after a kill. */
  const openMute = () => database.open({ heartbeatMs: HOUR_MS });
  const silenceNewest = () =>
    query(database, "UPDATE owners SET seen_at = 1 WHERE id = (SELECT max(id) FROM owners)");

  test("know how many of them are alive", async () => {
    const seen: number[] = [];
    const onInstances = (alive: number) => seen.push(alive);
    const first = await database.open({ heartbeatMs: 20, onInstances });
    expect(first.instances()).toBe(1);
    const command = await database.open({ oneOff: true });
    const second = await database.open({ heartbeatMs: 20 });
    expect(second.instances()).toBe(2);
    await vi.waitFor(() => expect(first.instances()).toBe(2), A_WHILE);
    await openMute();
    await vi.waitFor(() => expect(first.instances()).toBe(3), A_WHILE);
    await silenceNewest();
    await vi.waitFor(() => expect(first.instances()).toBe(2), A_WHILE);
    await second.close();
    await vi.waitFor(() => expect(first.instances()).toBe(1), A_WHILE);
    expect(seen).toEqual([2, 3, 2, 1]);
    expect(command.instances()).toBe(1);
  });

  test("that see another one dead at the same time settle each of its calls once", async () => {
    const dead = await openMute();
    const { secret } = await dead.tokens.create({
      name: "ada",
      quotas: perDay({ requests: 10_000 }),
    });
    const token = (await dead.tokens.find(secret))?.token;
    if (token === undefined) throw new Error("the token is not found");
    const reserve = async (_: unknown, at: number) => {
      const facts = { requestId: `call ${at}`, at: Date.now() };
      const result = await dead.ledger.reserve(wish(token, facts));
      if (!result.admitted) throw new Error("the call is not admitted");
      return { facts, reservation: result.reservation };
    };
    const calls = await Promise.all(Array.from({ length: OPEN_CALLS }, reserve));
    const living: Storage[] = [];
    for (let copy = 0; copy < 4; copy++) living.push(await openMute());
    await query(
      database,
      "UPDATE owners SET seen_at = 1 WHERE id IN (SELECT owner FROM reservations)",
    );
    const counts = await Promise.all(living.map(({ ledger }) => ledger.recover()));
    expect(counts.reduce((sum, count) => sum + count)).toBe(OPEN_CALLS);
    const rows = await Array.fromAsync(dead.ledger.export());
    const ids = calls.map(({ facts }) => facts.requestId);
    expect(rows.map(({ requestId }) => requestId).toSorted()).toEqual(ids.toSorted());
    const use = async () => (await dead.ledger.used(token.id)).day;
    expect(await use()).toMatchObject({ requests: OPEN_CALLS, tokens: 0, money: 0n });

    // It was only paused: what it knows takes the place of what was guessed, once.
    for (const { facts, reservation } of calls.slice(0, 10)) {
      await dead.ledger.settle(tokenEntry(token, facts), reservation);
    }
    const counted = await Promise.all(living.map(({ ledger }) => ledger.recover()));
    expect(counted).toEqual([0, 0, 0, 0]);
    expect(await use()).toMatchObject({ requests: OPEN_CALLS, tokens: 10 * 150 });
    expect(await Array.fromAsync(dead.ledger.export())).toHaveLength(OPEN_CALLS);
  });
});
