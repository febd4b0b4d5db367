import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createAdmin } from "../../src/admin/operations.ts";
import { createUpstreamPorts } from "../../src/admin/upstream-ports.ts";
import { systemClock } from "../../src/clock.ts";
import type { Storage } from "../../src/storage/open.ts";
import { noon, perDay, standingClock, tokenEntry, wish } from "./support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "./support/databases.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** A machine whose clock is wrong. */
const off = (ms: number) => ({ ...systemClock, wallMs: () => systemClock.wallMs() + ms });
const book = { model: "gpt-4o", input: "2", output: "8" };

eachDatabase("a clock that goes back", (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(kind);
  });
  afterEach(() => database.empty());
  afterAll(() => database.drop());

  const priced = async (storage: Storage) =>
    (await storage.prices.priceOf("gpt-4o", storage.clock.wallMs()))?.input;
  const upstreams = createUpstreamPorts(() => {
    throw new Error("no setting is needed");
  }, systemClock);
  const adminOf = (storage: Storage) => createAdmin({ ...storage, upstreams, canSeal: false });

  test("leaves the newest price in force, and a new one can be set", async () => {
    const clock = standingClock(noon + HOUR_MS);
    const command = await database.open({ clock, oneOff: true });
    await adminOf(command).prices.set(book);
    clock.set(noon);
    const storages = [await database.open({ clock }), await database.open({ clock })];
    for (const storage of storages) expect(await priced(storage)).toBe("2");
    for (const input of ["3", "4"]) {
      await adminOf(storages[0] ?? command).prices.set({ ...book, input });
      expect(await priced(storages[0] ?? command)).toBe(input);
    }
    const later = adminOf(await database.open({ clock, oneOff: true }));
    const { prices } = await later.prices.list({});
    expect(prices).toMatchObject([{ input: "4" }]);
    await expect(later.prices.set({ ...book, since: "2020-01-01" })).rejects.toMatchObject({
      code: "price_outdated",
    });
  });

  test("brings back no price that another one had replaced", async () => {
    const clock = standingClock(noon);
    const first = await database.open({ clock });
    await first.prices.set({ ...book, cachedInput: null, since: noon });
    await first.prices.set({ ...book, cachedInput: null, input: "5", since: noon + HOUR_MS });
    expect(await priced(first)).toBe("2");
    clock.set(noon + 2 * HOUR_MS);
    // Its start stores the moment, as a heartbeat does.
    await (await database.open({ clock })).close();
    clock.set(noon);
    expect(await priced(await database.open({ clock }))).toBe("5");
  });

  test("does not keep a price of the future from waiting", async () => {
    const clock = standingClock(noon);
    const storage = await database.open({ clock });
    await storage.prices.set({ ...book, cachedInput: null, since: noon + DAY_MS });
    expect(await priced(storage)).toBeUndefined();
    await expect(adminOf(storage).prices.set({ ...book, input: "5" })).rejects.toMatchObject({
      code: "price_outdated",
    });
  });
});

test("on PostgreSQL the database's clock decides, however wrong a machine's is", async () => {
  const database = await createDatabase("postgres");
  try {
    const wrong = [0, MINUTE_MS, -MINUTE_MS, HOUR_MS, 40 * DAY_MS, -40 * DAY_MS];
    const storages = await Promise.all(
      wrong.map((ms) => database.open({ clock: off(ms), bringsTime: false, heartbeatMs: 20 })),
    );
    const [right, ...others] = storages;
    if (right === undefined) throw new Error("nothing was opened");
    const quotas = perDay({ tokens: 3_000 });
    const expiresAt = Date.now() + 30 * MINUTE_MS;
    const { token, secret } = await right.tokens.create({ name: "one", quotas, expiresAt });
    const call = wish(token, { tokens: 2_090, at: right.clock.wallMs() });
    const first = await right.ledger.reserve(call);
    if (!first.admitted) throw new Error("the first call fits");
    for (const storage of others) {
      expect(Math.abs(storage.clock.wallMs() - Date.now())).toBeLessThan(MINUTE_MS / 2);
      expect(await storage.tokens.find(secret)).not.toBeNull();
      expect(await storage.ledger.recover()).toBe(0);
      expect(await storage.ledger.reserve(call)).toMatchObject({ admitted: false });
    }
    const usage = {
      promptTokens: 1_900,
      completionTokens: 10,
      totalTokens: 1_910,
      cachedTokens: 0,
    };
    await right.ledger.settle(tokenEntry(token, { usage }), first.reservation);
    for (const storage of storages) {
      expect((await storage.ledger.used(token.id)).day.tokens).toBe(1_910);
    }
  } finally {
    await database.drop();
  }
});
