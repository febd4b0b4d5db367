import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { parseMoney } from "../../../src/core/accounts/money.ts";
import type { Storage } from "../../../src/storage/open.ts";
import { noon, perMonth, standingClock } from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";

const secretKeys = { current: "k".repeat(32), old: [] };

eachDatabase("tokens", (kind) => {
  let database: TestDatabase;
  let storage: Storage;
  const clock = standingClock();

  beforeAll(async () => {
    database = await createDatabase(kind);
  }, 20_000);
  beforeEach(async () => {
    clock.set(noon);
    storage = await database.open({ clock, secretKeys });
  }, 20_000);
  afterEach(() => database.empty(), 20_000);
  afterAll(() => database.drop(), 20_000);

  test("a token is found by its secret with everything it was given", async () => {
    const { token, secret } = await storage.tokens.create({
      name: "Ада",
      comment: "for the lab",
      expiresAt: noon + 1_000,
      models: ["gpt-4o"],
      limits: { minute: 5 },
      quotas: perMonth({ money: parseMoney("12.5") }),
      upstreamKey: "sk-own",
    });
    expect(secret).toMatch(/^parley-[0-9A-Za-z]{38}$/);
    const found = await storage.tokens.find(secret);
    expect(found?.token).toEqual(token);
    expect(found?.upstreamKey()).toBe("sk-own");
    expect(token).toMatchObject({ name: "Ада", hint: secret.slice(-4), hasUpstreamKey: true });
    expect(JSON.stringify(found?.token, (_, value) => String(value))).not.toContain("sk-own");
    expect(await storage.tokens.show(token.id)).toEqual(token);
    expect(await storage.tokens.list()).toEqual([token]);
  });

  test("a token that was found before is refused once anybody has revoked it", async () => {
    const other = await database.open({ clock, secretKeys });
    for (const revoker of [storage, other]) {
      const { token, secret } = await storage.tokens.create({ name: "Ada" });
      for (const _ of [1, 2]) expect((await storage.tokens.find(secret))?.token).toEqual(token);
      await revoker.tokens.revoke(token.id);
      // what others have written is asked for once a turn of the event loop
      if (revoker === other) await nextTurn();
      expect(await storage.tokens.find(secret)).toBeNull();
    }
  });

  test("a token that was found before expires all the same", async () => {
    const { secret } = await storage.tokens.create({ name: "Ada", expiresAt: noon + 1_000 });
    expect(await storage.tokens.find(secret)).not.toBeNull();
    clock.set(noon + 1_000);
    expect(await storage.tokens.find(secret)).toBeNull();
  });

  test("an expired, a revoked and an unknown secret look the same", async () => {
    const short = await storage.tokens.create({ name: "short", expiresAt: noon + 1 });
    const gone = await storage.tokens.create({ name: "gone" });
    expect(await storage.tokens.revoke(gone.token.id)).toBe(true);
    expect(await storage.tokens.revoke(gone.token.id)).toBe(false);
    expect(await storage.tokens.revoke("nobody")).toBe(false);
    clock.set(noon + 1);
    for (const secret of [short.secret, gone.secret, `parley-${"A".repeat(38)}`, "", "sk-x"]) {
      expect(await storage.tokens.find(secret)).toBeNull();
    }
    expect((await storage.tokens.show(gone.token.id))?.revokedAt).toBe(noon);
  });

  test("a list comes in pages", async () => {
    for (const name of ["a", "b", "c"]) {
      clock.set(clock.wallMs() + 1);
      await storage.tokens.create({ name });
    }
    const first = await storage.tokens.list({ limit: 2 });
    const rest = await storage.tokens.list({ after: first.at(-1)?.id ?? "" });
    expect([...first, ...rest].map((token) => token.name)).toEqual(["a", "b", "c"]);
  });

  test.each([
    ["an empty name", { name: "" }],
    ["NUL in a name", { name: "a\0b" }],
    ["a long name", { name: "x".repeat(201) }],
    ["a negative limit", { name: "a", limits: { minute: -1 } }],
    ["half a call", { name: "a", limits: { minute: 0.5 } }],
    ["an expiry that is no time", { name: "a", expiresAt: Number.NaN }],
    ["half a character in a model", { name: "a", models: ["\ud800"] }],
    ["a negative quota", { name: "a", quotas: perMonth({ money: -1n }) }],
    ["half a token", { name: "a", quotas: perMonth({ tokens: 1.5 }) }],
    ["a key with a line break", { name: "a", upstreamKey: "sk with\r\nheader: 1" }],
  ])("%s is refused", async (_, token) => {
    await expect(storage.tokens.create(token)).rejects.toMatchObject({ code: "field_range" });
    expect(await storage.tokens.list()).toEqual([]);
  });

  test("without a secret key an upstream key is refused, and the reason says so", async () => {
    const bare = await database.open({ clock });
    const refused = bare.tokens.create({ name: "a", upstreamKey: "sk-own" });
    await expect(refused).rejects.toMatchObject({
      cause: { message: expect.stringContaining("SECRET_KEY is not set") },
    });
    await bare.tokens.create({ name: "without" });
  });

  test("a new secret key opens what the old one sealed, and takes it over", async () => {
    const { secret } = await storage.tokens.create({ name: "a", upstreamKey: "sk-own" });
    const current = "n".repeat(40);
    const turned = await database.open({
      clock,
      secretKeys: { current, old: [secretKeys.current] },
    });
    expect((await turned.tokens.find(secret))?.upstreamKey()).toBe("sk-own");
    expect(await turned.tokens.reseal()).toEqual({ keys: 1, unreadable: [] });
    expect(await turned.tokens.reseal()).toEqual({ keys: 0, unreadable: [] });
    const onlyNew = await database.open({ clock, secretKeys: { current, old: [] } });
    expect((await onlyNew.tokens.find(secret))?.upstreamKey()).toBe("sk-own");
    const lost = await storage.tokens.find(secret);
    expect(() => lost?.upstreamKey()).toThrow("internal");
  });
});
