import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { parseMoney } from "../../../src/core/accounts/money.ts";
import { noLimits } from "../../../src/core/accounts/quota.ts";
import type { Storage } from "../../../src/storage/open.ts";
import { noon, perDay, standingClock, wish } from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";

const secretKeys = { current: "k".repeat(32), old: [] };

eachDatabase("changes of a token", (kind) => {
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
    storage = await database.open({ clock, secretKeys });
    other = await database.open({ clock, secretKeys });
  }, 20_000);
  afterEach(() => database.empty(), 20_000);
  afterAll(() => database.drop(), 20_000);

  test("what is left out stays, null takes a bound away, and calls see it at once", async () => {
    const { token, secret } = await storage.tokens.create({
      name: "Ada",
      comment: "for the lab",
      expiresAt: noon + 1_000,
      models: ["gpt-4o"],
      limits: { minute: 5, day: 50 },
      quotas: { day: { ...noLimits, tokens: 7, money: parseMoney("2.5") }, month: noLimits },
      upstreamKey: "sk-own",
    });
    for (const one of [storage, other]) await one.tokens.find(secret);
    const changed = await other.tokens.update(token.id, {
      expiresAt: null,
      limits: { minute: null, hour: 9 },
      quotas: { day: { tokens: null, requests: 3 } },
    });
    const quotas = perDay({ requests: 3, money: parseMoney("2.5") });
    expect(changed).toEqual({ ...token, expiresAt: null, limits: { day: 50, hour: 9 }, quotas });
    await nextTurn();
    for (const one of [storage, other]) {
      const found = await one.tokens.find(secret);
      expect(found?.token).toEqual(changed);
      expect(found?.upstreamKey()).toBe("sk-own");
    }
  });

  test("an upstream key is put in, changed and taken away", async () => {
    const { token, secret } = await storage.tokens.create({ name: "Ada" });
    for (const upstreamKey of ["sk-one", "sk-two", null]) {
      const changed = await storage.tokens.update(token.id, { upstreamKey });
      expect(changed?.hasUpstreamKey).toBe(upstreamKey !== null);
      expect((await storage.tokens.find(secret))?.upstreamKey()).toBe(upstreamKey);
    }
  });

  test("what was spent still counts under the new quota", async () => {
    const { token, secret } = await storage.tokens.create({
      name: "Ada",
      quotas: perDay({ requests: 2 }),
    });
    const admitted = async () => {
      const found = await storage.tokens.find(secret);
      if (found === null) throw new Error("no such token");
      return (await storage.ledger.reserve(wish(found.token))).admitted;
    };
    expect([await admitted(), await admitted(), await admitted()]).toEqual([true, true, false]);
    await storage.tokens.update(token.id, { quotas: { day: { requests: 3 } } });
    expect([await admitted(), await admitted()]).toEqual([true, false]);
  });

  test("changes that two processes make at once are all kept", async () => {
    const { token } = await storage.tokens.create({ name: "Ada" });
    const changes = [
      { limits: { second: 1 } },
      { limits: { minute: 2 } },
      { limits: { hour: 3 } },
      { limits: { day: 4 } },
      { quotas: { day: { requests: 5 } } },
      { quotas: { month: { tokens: 6 } } },
    ];
    await Promise.all(
      changes.map((one, at) => (at % 2 === 0 ? storage : other).tokens.update(token.id, one)),
    );
    expect(await storage.tokens.show(token.id)).toMatchObject({
      limits: { second: 1, minute: 2, hour: 3, day: 4 },
      quotas: { day: { requests: 5 }, month: { tokens: 6 } },
    });
  });

  test("a revoked token stays as it is, and an unknown one is none", async () => {
    const { token } = await storage.tokens.create({ name: "Ada" });
    await storage.tokens.revoke(token.id);
    const refused = storage.tokens.update(token.id, { name: "Bob" });
    await expect(refused).rejects.toMatchObject({ code: "token_revoked" });
    expect((await storage.tokens.show(token.id))?.name).toBe("Ada");
    for (const id of ["nobody", "a\0b"]) {
      expect(await storage.tokens.update(id, { name: "Bob" })).toBeNull();
    }
  });

  test("a change that can't be stored changes nothing", async () => {
    const { token } = await storage.tokens.create({ name: "Ada" });
    for (const bad of [{ name: "" }, { limits: { minute: -1 } }, { upstreamKey: "sk a" }]) {
      const refused = storage.tokens.update(token.id, { comment: "new", ...bad });
      await expect(refused).rejects.toMatchObject({ code: "field_range" });
    }
    expect(await storage.tokens.show(token.id)).toEqual(token);
  });

  test("a disabled token is refused by all processes from the next call on, until it is enabled", async () => {
    const { token, secret } = await storage.tokens.create({ name: "Ada" });
    for (const one of [storage, other]) await one.tokens.find(secret);
    for (const later of [noon, noon + 5]) {
      clock.set(later);
      const disabled = await other.tokens.disable(token.id);
      expect(disabled).toEqual({ ...token, disabledAt: noon });
    }
    await nextTurn();
    for (const one of [storage, other]) {
      await expect(one.tokens.find(secret)).rejects.toMatchObject({ code: "token_disabled" });
    }
    for (const _ of [1, 2]) expect(await storage.tokens.enable(token.id)).toEqual(token);
    await nextTurn();
    for (const one of [storage, other]) {
      expect((await one.tokens.find(secret))?.token).toEqual(token);
    }
  });

  test("a disabled token that expires or is revoked is like any other", async () => {
    const { token, secret } = await storage.tokens.create({ name: "Ada", expiresAt: noon + 1 });
    await storage.tokens.disable(token.id);
    clock.set(noon + 1);
    expect(await storage.tokens.find(secret)).toBeNull();
    await storage.tokens.revoke(token.id);
    for (const change of [storage.tokens.disable, storage.tokens.enable]) {
      await expect(change(token.id)).rejects.toMatchObject({ code: "token_revoked" });
      expect(await change("nobody")).toBeNull();
    }
  });
});
