/** Machines whose clocks are wrong share a PostgreSQL, whose clock decides for all of them. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { createTurnClaims } from "../../src/storage/conversations/turn-claims.ts";
import { startRetention } from "../../src/storage/ledger/retention.ts";
import type { Storage } from "../../src/storage/open.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { postJson } from "../support/http.ts";
import { startParley } from "../support/parley.ts";
import { OPERATOR_KEY } from "../support/scene.ts";
import { startUpstream } from "../support/upstream.ts";
import { entry, tokenEntry } from "./support/calls.ts";
import { createDatabase, type TestDatabase } from "./support/databases.ts";
import { query } from "./support/tables.ts";

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const OWNER = "owner";

describe("instances whose clocks differ by two days", () => {
  let database: TestDatabase;
  let early: Storage;
  let late: Storage;
  const openAt = (ms: number) =>
    database.open({
      clock: { ...systemClock, wallMs: () => systemClock.wallMs() + ms },
      bringsTime: false,
      heartbeatMs: 100,
      conversations: { lifetimeMs: HOUR_MS },
    });
  beforeAll(async () => {
    database = await createDatabase("postgres");
    [early, late] = await Promise.all([openAt(-DAY_MS), openAt(DAY_MS)]);
  });
  afterAll(() => database.drop());
  const both = () => [early, late];

  test("tell the same time", () => {
    for (const { clock } of both())
      expect(Math.abs(clock.wallMs() - Date.now())).toBeLessThan(SECOND_MS);
  });

  test("are alive to each other, and take no open call for a dead one's", async () => {
    for (const storage of both()) expect(await storage.ledger.recover()).toBe(0);
    for (const storage of both()) {
      await vi.waitFor(() => expect(storage.instances()).toBe(2), { timeout: 10_000 });
    }
  });

  test("keep a chat to the one that claimed it, and let it go when the claim ends", async () => {
    for (const [one, other] of [
      [early, late],
      [late, early],
    ] as const) {
      const { id } = await one.conversations.create(OWNER, {});
      const claims = createTurnClaims({ ...one, onError: () => undefined });
      const turn = { parentId: null, question: "Where to?" };
      const claim = await claims.take(OWNER, id, turn);
      const second = createTurnClaims({ ...other, onError: () => undefined });
      await expect(second.take(OWNER, id, turn)).rejects.toMatchObject({
        code: "conversation_conflict",
      });
      const nowMs = other.clock.wallMs();
      await one.conversations.extend(OWNER, id, claim.id, nowMs - SECOND_MS);
      await (await second.take(OWNER, id, turn)).release();
      await Promise.all([claims.end(), second.end()]);
    }
  });

  test("agree when a conversation ends, and sweep none that lives", async () => {
    const made = await Promise.all(
      both().map(({ conversations }) => conversations.create(OWNER, {})),
    );
    for (const { expiresAt } of made) {
      expect(Math.abs(expiresAt - Date.now() - HOUR_MS)).toBeLessThan(10 * SECOND_MS);
    }
    await query(
      database,
      `UPDATE conversations SET expires_at = ${Date.now() - SECOND_MS}
      WHERE id = '${made[0]?.id}'`,
    );
    for (const { conversations } of both()) {
      expect(await Promise.all(made.map(({ id }) => conversations.find(OWNER, id)))).toEqual([
        null,
        expect.objectContaining({ id: made[1]?.id }),
      ]);
    }
    await late.conversations.sweep();
    const ids = await query<{ id: string }>(database, "SELECT id FROM conversations");
    expect(ids).toContainEqual({ id: made[1]?.id });
    expect(ids).not.toContainEqual({ id: made[0]?.id });
  });

  test("delete usage records by the same day", async () => {
    const ages = [3 * DAY_MS, 2.5 * DAY_MS, 1.5 * DAY_MS, 0];
    for (const age of ages) {
      await early.ledger.settle(entry({ requestId: `${age}`, at: Date.now() - age }), null);
    }
    for (const storage of both()) {
      const purged: number[] = [];
      const stop = startRetention({
        ...storage,
        days: 2,
        onPurged: (rows) => purged.push(rows),
        onError: (error) => expect.unreachable(error.message),
      });
      await stop();
      expect(purged).toEqual([storage === early ? 2 : 0]);
    }
    const left = (await late.ledger.rows()).map(({ requestId }) => requestId);
    expect(left.toSorted()).toEqual(["0", `${1.5 * DAY_MS}`]);
  });

  test("know a token as expired or not, and its use of the day, alike", async () => {
    const expiresAt = Date.now() + HOUR_MS;
    const alive = await early.tokens.create({ name: "alive", expiresAt });
    const over = await late.tokens.create({ name: "over", expiresAt: Date.now() - 1 });
    for (const storage of both()) {
      expect(await storage.tokens.find(alive.secret)).not.toBeNull();
      expect(await storage.tokens.find(over.secret)).toBeNull();
      await storage.ledger.settle(tokenEntry(alive.token, { at: storage.clock.wallMs() }), null);
      expect(await storage.ledger.week(alive.token.id)).toEqual(
        await late.ledger.week(alive.token.id),
      );
    }
  });

  test("ask about an answer in the background when it is due, and one of them only", async () => {
    for (const [one, other] of [
      [early, late],
      [late, early],
    ] as const) {
      const reserved = { question: 1, answers: 1, answer: 1 };
      const call = {
        entry: entry({ usage: null, at: one.clock.wallMs() }),
        reservation: null,
        reserved,
      };
      expect(await one.background.keep(call)).toBe(true);
      // due in some seconds, not yet
      expect(await other.background.claim(1)).toEqual([]);
      await query(database, `UPDATE background_answers SET due_at = ${Date.now() - SECOND_MS}`);
      const claimed = await Promise.all(both().map(({ background }) => background.claim(1)));
      expect(claimed.flat()).toHaveLength(1);
      await query(database, "DELETE FROM background_answers");
    }
  });

  test("have one price in force", async () => {
    const price = { model: "gpt-4o", cachedInput: null, output: "8", since: null };
    for (const [at, storage] of both().entries()) {
      await storage.prices.set({ ...price, input: `${at + 1}` });
      const fresh = await openAt(-2 * DAY_MS);
      expect(await fresh.prices.priceOf("gpt-4o", fresh.clock.wallMs())).toMatchObject({
        input: `${at + 1}`,
      });
      await fresh.close();
    }
  });

  test("tell a refused caller the same moment to come again", async () => {
    const upstream = closeAfterFile(await startUpstream());
    const places = { DATABASE_URL: database.place.databaseUrl ?? "", OPENAI_URL: upstream.url };
    const env = { ...places, API_KEY: OPERATOR_KEY, MINUTE_LIMIT: "1" };
    const wrong = { ...systemClock, wallMs: () => systemClock.wallMs() + DAY_MS };
    const parley = await startParley(env, { clock: wrong });
    const ask = () => postJson(parley.url, { user_content: "hi" });
    expect((await ask()).status).toBe(200);
    const refused = await ask();
    await parley.close();
    expect(refused.status).toBe(429);
    const resetMs = Date.parse(/\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(refused.text)?.[0] ?? "");
    expect(Math.abs(resetMs - Date.now())).toBeLessThan(2 * 60 * SECOND_MS);
  });
});
