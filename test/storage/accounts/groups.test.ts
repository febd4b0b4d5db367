import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Token } from "../../../src/core/accounts/accounts.ts";
import { noLimits, type QuotaLimits } from "../../../src/core/accounts/quota.ts";
import type { Storage } from "../../../src/storage/open.ts";
import { noon, perDay, standingClock, tokenEntry, wish } from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";
import { query } from "../support/tables.ts";

const EACH = { requests: 1, tokens: 1_000, money: 600_000_000n };

eachDatabase("a group", (kind) => {
  let database: TestDatabase;
  let storage: Storage;
  /** Another process on the same database. */
  let other: Storage;
  const clock = standingClock();

  beforeAll(async () => {
    database = await createDatabase(kind);
  }, 20_000);
  beforeEach(async () => {
    clock.set(noon);
    storage = await database.open({ clock });
    other = await database.open({ clock });
  }, 20_000);
  afterEach(() => database.empty(), 20_000);
  afterAll(() => database.drop(), 20_000);

  const makeGroup = (limits: Partial<QuotaLimits>, name = "class") =>
    storage.groups.create({ name, comment: "", quotas: perDay(limits) });
  const makeToken = async (name: string, limits: Partial<QuotaLimits> = {}) =>
    (await storage.tokens.create({ name, group: "class", quotas: perDay(limits) })).token;
  const day = async (id: string) => (await storage.ledger.used(id)).day;
  const times = (count: number) => ({
    requests: EACH.requests * count,
    tokens: EACH.tokens * count,
    money: EACH.money * BigInt(count),
  });

  describe("a purse that tokens share", () => {
    test("refuses them all once it is used up, and says that it was the group", async () => {
      const group = await makeGroup({ requests: 3 });
      const [ann, bob] = [await makeToken("ann"), await makeToken("bob", { requests: 2 })];
      for (const token of [ann, bob, ann]) {
        expect((await storage.ledger.reserve(wish(token))).admitted).toBe(true);
      }
      for (const token of [ann, bob]) {
        expect(await other.ledger.reserve(wish(token))).toMatchObject({
          admitted: false,
          group: { name: "class" },
          refusedBy: { kind: "requests", limit: 3n, used: 3n },
          retryAfterMs: 12 * 3_600_000,
        });
      }
      expect([await day(group.id), await day(ann.id), await day(bob.id)]).toEqual([
        times(3),
        times(2),
        times(1),
      ]);
    });

    test("loses nothing to a call that the token's own quota refuses", async () => {
      const group = await makeGroup({ requests: 9 });
      const bob = await makeToken("bob", { requests: 1 });
      await storage.ledger.reserve(wish(bob));
      expect(await storage.ledger.reserve(wish(bob))).toMatchObject({
        admitted: false,
        group: null,
      });
      expect([await day(group.id), await day(bob.id)]).toEqual([times(1), times(1)]);
    });

    test("is told of two quotas that refuse by the one that returns last", async () => {
      const quotas = { day: noLimits, month: { ...noLimits, requests: 1 } };
      await storage.groups.create({ name: "class", comment: "", quotas });
      const bob = await makeToken("bob", { requests: 1 });
      await storage.ledger.reserve(wish(bob));
      expect(await storage.ledger.reserve(wish(bob))).toMatchObject({
        group: { name: "class" },
        refusedBy: { period: "month" },
      });
    });

    test("holds exactly under 500 calls at once by four tokens over two instances", async () => {
      const group = await makeGroup({ requests: 100, tokens: 100_500 });
      const tokens: Token[] = [];
      for (const name of ["a", "b", "c"]) tokens.push(await makeToken(name));
      tokens.push(await makeToken("d", { requests: 5 }));
      const calls = Array.from({ length: 500 }, (_, turn) => {
        const token = tokens[turn % tokens.length];
        if (token === undefined) throw new Error("there are four");
        return (turn % 2 === 0 ? storage : other).ledger.reserve(wish(token));
      });
      const admitted = (await Promise.all(calls)).filter((result) => result.admitted);
      expect(admitted).toHaveLength(100);
      expect(await day(group.id)).toEqual(times(100));
      const own = await Promise.all(tokens.map(({ id }) => day(id)));
      expect(own.reduce((sum, { requests }) => sum + requests, 0)).toBe(100);
      expect(own[3]?.requests).toBeLessThanOrEqual(5);
    });

    test("is right after many calls at once by tokens of two groups and of none", async () => {
      const groups = [await makeGroup({ requests: 9_999 }), await makeGroup({ tokens: 1e9 }, "b")];
      const quotas = perDay({ requests: 9_999 });
      const chosen = Array.from({ length: 12 }, (_, at) => {
        const name = `${at}`;
        return { name, quotas, group: ["class", "b", null][at % 3] ?? null };
      });
      const made = (await storage.tokens.createAll(chosen)).map(({ token }) => token);
      const call = async (_: unknown, turn: number) => {
        const token = made[turn % made.length];
        if (token === undefined) throw new Error("there are twelve");
        const { ledger } = turn % 5 < 2 ? storage : other;
        const result = await ledger.reserve(wish(token));
        if (!result.admitted) throw new Error("there is room");
        await ledger.settle(tokenEntry(token), result.reservation);
      };
      await Promise.all(Array.from({ length: 360 }, call));
      const spent = (calls: number) => ({
        requests: calls,
        tokens: 150 * calls,
        money: 42_000_000n * BigInt(calls),
      });
      for (const { id } of made) expect(await day(id)).toEqual(spent(30));
      for (const { id } of groups) expect(await day(id)).toEqual(spent(120));
    });

    test("is corrected with the token when a call is settled", async () => {
      const group = await makeGroup({ tokens: 5_000 });
      const ann = await makeToken("ann");
      const result = await storage.ledger.reserve(wish(ann));
      if (!result.admitted) throw new Error("not admitted");
      const entry = tokenEntry(ann);
      for (const one of [storage, other]) await one.ledger.settle(entry, result.reservation);
      const spent = { requests: 1, tokens: 150, money: entry.cost };
      expect([await day(group.id), await day(ann.id)]).toEqual([spent, spent]);
    });

    test("gets back what a call held whose instance died", async () => {
      const group = await makeGroup({ requests: 5 });
      const ann = await makeToken("ann");
      await storage.ledger.reserve(wish(ann));
      for (const { id } of [group, ann]) {
        expect((await other.ledger.reserved(id)).day).toEqual(times(1));
      }
      await query(database, "DELETE FROM owners");
      expect(await other.ledger.recover()).toBe(1);
      const left = { requests: 1, tokens: 0, money: 0n };
      expect((await other.ledger.reserved(group.id)).day.requests).toBe(0);
      expect([await day(group.id), await day(ann.id)]).toEqual([left, left]);
    });

    test("is settled in the period in which it was counted, whatever the token's is", async () => {
      const group = await makeGroup({ tokens: 5_000 });
      const [ann, bob] = [await makeToken("ann"), await makeToken("bob")];
      clock.set(Date.UTC(2026, 10, 22, 0, 0, 0, 5));
      await storage.ledger.reserve(wish(bob));
      // an instance whose clock is a moment behind
      clock.set(Date.UTC(2026, 10, 21, 23, 59, 59, 999));
      const result = await storage.ledger.reserve(wish(ann));
      if (!result.admitted) throw new Error("not admitted");
      clock.set(Date.UTC(2026, 10, 22, 0, 0, 1));
      expect((await day(group.id)).requests).toBe(2);
      await storage.ledger.settle(tokenEntry(ann, { usage: null, cost: null }), result.reservation);
      expect(await day(group.id)).toEqual({ ...times(1), requests: 2 });
    });

    test("counts only where it has quotas", async () => {
      const group = await makeGroup({});
      const ann = await makeToken("ann");
      expect(await storage.ledger.reserve(wish(ann))).toEqual({
        admitted: true,
        reservation: null,
      });
      await makeToken("bob", { requests: 1 }).then((bob) => storage.ledger.reserve(wish(bob)));
      expect((await day(group.id)).requests).toBe(0);
    });
  });

  describe("changes of it", () => {
    test("are seen by calls at once, on every instance", async () => {
      await makeGroup({ requests: 1 });
      const { secret } = await storage.tokens.create({ name: "ann", group: "class" });
      for (const one of [storage, other]) await one.tokens.find(secret);
      await other.groups.update("class", { comment: null, quotas: { day: { tokens: 7 } } });
      await nextTurn();
      const quotas = perDay({ requests: 1, tokens: 7 });
      for (const one of [storage, other]) {
        const found = await one.tokens.find(secret);
        expect(found?.token.group).toMatchObject({ name: "class", quotas });
      }
    });

    test("move a token into another group and out of any", async () => {
      await makeGroup({ requests: 1 });
      await makeGroup({ tokens: 2 }, "other");
      const ann = await makeToken("ann");
      const moved = await storage.tokens.update(ann.id, { group: "other" });
      expect(moved?.group).toMatchObject({ name: "other", quotas: perDay({ tokens: 2 }) });
      expect((await storage.tokens.update(ann.id, { comment: "x" }))?.group?.name).toBe("other");
      expect((await storage.tokens.update(ann.id, { group: null }))?.group).toBeNull();
      const unknown = storage.tokens.update(ann.id, { group: "nobody" });
      await expect(unknown).rejects.toMatchObject({ code: "group_unknown" });
      const made = storage.tokens.create({ name: "eve", group: "nobody" });
      await expect(made).rejects.toMatchObject({ code: "group_unknown" });
    });

    test("remove it only when no token is left in it that lives", async () => {
      await makeGroup({ requests: 1 });
      const ann = await makeToken("ann");
      expect((await storage.groups.list())[0]).toMatchObject({ name: "class", tokens: 1 });
      await expect(storage.groups.remove("class")).rejects.toMatchObject({ code: "group_in_use" });
      await storage.tokens.revoke(ann.id);
      expect(await storage.groups.remove("class")).toMatchObject({ name: "class", tokens: 0 });
      expect(await storage.groups.show("class")).toBeNull();
      expect(await storage.groups.remove("class")).toBeNull();
      expect((await storage.tokens.show(ann.id))?.group).toBeNull();
    });

    test("give no name to two", async () => {
      await makeGroup({ requests: 1 });
      await expect(makeGroup({})).rejects.toMatchObject({ code: "group_name_taken" });
      await makeGroup({}, "another");
      expect((await storage.groups.list({ limit: 1 })).map(({ name }) => name)).toEqual([
        "another",
      ]);
      expect((await storage.groups.list({ after: "another" })).map(({ name }) => name)).toEqual([
        "class",
      ]);
    });
  });
});
