import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Storage } from "../../../src/storage/open.ts";
import { noon, perDay, standingClock, wish } from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";
import { query } from "../support/tables.ts";

const HOUR_MS = 3_600_000;

eachDatabase("a token's new secret", (kind) => {
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

  const rotated = async (id: string, graceMs: number | null) => {
    const made = await other.tokens.rotate(id, graceMs);
    if (made === null) throw new Error("no such token");
    await nextTurn();
    return made;
  };
  /** Which of these secrets both processes accept; they agree on each. */
  const accepted = async (...secrets: readonly string[]) => {
    const all = await Promise.all(
      secrets.map(async (secret) => {
        const found = await Promise.all([storage, other].map((one) => one.tokens.find(secret)));
        expect(found[0]?.token).toEqual(found[1]?.token);
        return found[0] !== null;
      }),
    );
    return all;
  };

  test("ends the old one at once without a grace", async () => {
    const first = await storage.tokens.create({ name: "Ada" });
    expect(await accepted(first.secret)).toEqual([true]);
    const second = await rotated(first.token.id, null);
    expect(second.token).toEqual({ ...first.token, hint: second.secret.slice(-4) });
    expect(await accepted(first.secret, second.secret)).toEqual([false, true]);
  });

  test("leaves the old one its grace, and not a moment longer", async () => {
    const first = await storage.tokens.create({ name: "Ada" });
    const second = await rotated(first.token.id, HOUR_MS);
    expect(second.token.graceUntil).toBe(noon + HOUR_MS);
    expect(await accepted(first.secret, second.secret)).toEqual([true, true]);
    clock.set(noon + HOUR_MS - 1);
    expect(await accepted(first.secret, second.secret)).toEqual([true, true]);
    clock.set(noon + HOUR_MS);
    expect(await accepted(first.secret, second.secret)).toEqual([false, true]);
  });

  test("that comes during a grace shortens none, unless it has no grace itself", async () => {
    const first = await storage.tokens.create({ name: "Ada" });
    const second = await rotated(first.token.id, 2 * HOUR_MS);
    const third = await rotated(first.token.id, HOUR_MS);
    expect(third.token.graceUntil).toBe(noon + 2 * HOUR_MS);
    const secrets = [first, second, third].map(({ secret }) => secret);
    expect(await accepted(...secrets)).toEqual([true, true, true]);
    clock.set(noon + HOUR_MS);
    expect(await accepted(...secrets)).toEqual([true, false, true]);
    const fourth = await rotated(first.token.id, null);
    expect(await accepted(...secrets, fourth.secret)).toEqual([false, false, false, true]);
    expect(fourth.token.graceUntil).toBeNull();
  });

  test("is of the same token: an old one sees its quotas, and ends with it", async () => {
    const quotas = perDay({ requests: 1 });
    const first = await storage.tokens.create({ name: "Ada", quotas });
    const second = await rotated(first.token.id, HOUR_MS);
    const admitted = async (secret: string) => {
      const found = await storage.tokens.find(secret);
      if (found === null) throw new Error("no such token");
      return (await storage.ledger.reserve(wish(found.token))).admitted;
    };
    expect([await admitted(first.secret), await admitted(second.secret)]).toEqual([true, false]);
    await other.tokens.disable(first.token.id);
    await nextTurn();
    for (const { secret } of [first, second]) {
      await expect(storage.tokens.find(secret)).rejects.toMatchObject({ code: "token_disabled" });
    }
    await other.tokens.revoke(first.token.id);
    await nextTurn();
    expect(await accepted(first.secret, second.secret)).toEqual([false, false]);
    const refused = storage.tokens.rotate(first.token.id, null);
    await expect(refused).rejects.toMatchObject({ code: "token_revoked" });
    expect(await storage.tokens.rotate("nobody", HOUR_MS)).toBeNull();
  });

  test("is stored as a hash only, and what has ended is not kept", async () => {
    const first = await storage.tokens.create({ name: "Ada" });
    const second = await rotated(first.token.id, HOUR_MS);
    const stored = JSON.stringify([
      await query(database, "SELECT * FROM tokens"),
      await query(database, "SELECT * FROM token_secrets"),
    ]);
    for (const { secret } of [first, second]) expect(stored).not.toContain(secret);
    clock.set(noon + HOUR_MS);
    const others = await storage.tokens.create({ name: "Bob" });
    await rotated(others.token.id, HOUR_MS);
    expect(await query(database, "SELECT token_id FROM token_secrets")).toEqual([
      { token_id: others.token.id },
    ]);
  });

  test("loses no call of those that come while it is made again and again", async () => {
    const { token, secret } = await storage.tokens.create({ name: "Ada" });
    const secrets = [secret];
    const rotations = (async () => {
      for (let time = 0; time < 20; time += 1) {
        const made = await other.tokens.rotate(token.id, HOUR_MS);
        secrets.push(made?.secret ?? "none");
        await nextTurn();
      }
      return "done";
    })();
    let isDone = false;
    void rotations.finally(() => {
      isDone = true;
    });
    let calls = 0;
    while (!isDone) {
      for (const one of secrets.slice(-3)) {
        expect(await storage.tokens.find(one), one).not.toBeNull();
        calls += 1;
      }
      await nextTurn();
    }
    expect(await rotations).toBe("done");
    expect(calls).toBeGreaterThan(20);
    expect(await accepted(...secrets)).toEqual(secrets.map(() => true));
  });
});
