import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { LedgerRow } from "../../../src/core/accounts/accounts.ts";
import { noQuotas, type Quotas } from "../../../src/core/accounts/quota.ts";
import type { LostRow } from "../../../src/storage/ledger/settle.ts";
import type { Storage } from "../../../src/storage/open.ts";
import {
  entry,
  noon,
  perDay,
  perMonth,
  standingClock,
  tokenEntry,
  wish,
} from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";

const dayMs = 86_400_000;

eachDatabase("the ledger", (kind) => {
  let database: TestDatabase;
  let storage: Storage;
  let lost: LostRow[];
  const clock = standingClock();

  beforeAll(async () => {
    database = await createDatabase(kind);
  }, 20_000);
  beforeEach(async () => {
    clock.set(noon);
    lost = [];
    storage = await database.open({ clock, onLost: (row) => lost.push(row) });
  }, 20_000);
  afterEach(() => database.empty(), 20_000);
  afterAll(() => database.drop(), 20_000);

  const makeToken = async (quotas: Quotas = noQuotas, name = "ada") =>
    (await storage.tokens.create({ name, quotas })).token;

  const reserved = async (...wished: Parameters<typeof wish>) => {
    const result = await storage.ledger.reserve(wish(...wished));
    if (!result.admitted || result.reservation === null) throw new Error("not reserved");
    return result.reservation;
  };

  test("a row comes back as it was settled", async () => {
    await storage.ledger.settle(
      entry({ payer: { kind: "own-key", tokenId: null, keyDigest: "ab".repeat(32) } }),
      null,
    );
    const [row] = await storage.ledger.rows();
    expect(row).toMatchObject({
      id: expect.stringMatching(/^[0-9a-v]{26}$/),
      requestId: "req-1",
      at: noon,
      payerKind: "own-key",
      tokenId: null,
      keyDigest: "ab".repeat(32),
      dialect: "openai",
      model: "gpt-4o-mini",
      answeredBy: "gpt-4o-mini-2024-07-18",
      promptTokens: 100,
      completionTokens: 50,
      cachedTokens: 40,
      totalTokens: 150,
      price: "0.15,0.075,0.6",
      cost: "0.000042",
      provenance: "reported",
      outcome: "completed",
      onDisconnect: "cancel",
      error: null,
      firstTokenMs: 120,
      durationMs: 813,
      upstreamId: "chatcmpl-1",
      upstream: "default",
      upstreamModel: "gpt-4o-mini",
      tries: 1,
    } satisfies Partial<LedgerRow>);
  });

  test("a row shows what was charged at a price of its own", async () => {
    const { usage, price } = entry();
    if (usage === null || price === null) throw new Error("an entry has both");
    const parts = { audioInput: 30 };
    const charged = { usage: { ...usage, parts }, price: { ...price, audioInput: "40" } };
    await storage.ledger.settle(entry(charged), null);
    expect((await storage.ledger.rows())[0]?.price).toBe("0.15,0.075,0.6,audio_input=40*30");
  });

  test("what is unknown stays null and is not a nought", async () => {
    const unknown = { usage: null, price: null, cost: null, firstTokenMs: null } as const;
    await storage.ledger.settle(entry({ ...unknown, provenance: "unknown" }), null);
    const [row] = await storage.ledger.rows();
    expect(row).toMatchObject({ totalTokens: null, price: null, cost: null, firstTokenMs: null });
    const [sum] = await storage.ledger.sums("model");
    expect(sum).toMatchObject({ requests: 1, cost: null, unknownCosts: 1 });
  });

  test("counts that no model could have produced become unknown", async () => {
    const usage = {
      promptTokens: 1e300,
      completionTokens: -5,
      totalTokens: 0.5,
      cachedTokens: null,
    };
    await storage.ledger.settle(entry({ usage, cost: 5n }), null);
    const [row] = await storage.ledger.rows();
    expect(row).toMatchObject({ promptTokens: null, cost: null, provenance: "unknown" });
  });

  test("strange texts are made storable and do not lose the row", async () => {
    const model = `\0\ud800${"x".repeat(5_000)}`;
    await Promise.all([
      storage.ledger.settle(entry({ model, upstreamId: "a\0b" }), null),
      storage.ledger.settle(entry({ requestId: "neighbour" }), null),
    ]);
    const rows = await storage.ledger.rows();
    expect(rows).toHaveLength(2);
    const strange = rows.find((row) => row.requestId === "req-1");
    expect(strange?.model).toHaveLength(200);
    expect(strange?.upstreamId).toBe("a\ufffdb");
  });

  test("one entry that cannot be written does not take its neighbours along", async () => {
    await Promise.all([
      storage.ledger.settle(entry({ requestId: "a" }), null),
      storage.ledger.settle(entry({ requestId: "b", at: Number.NaN }), null),
      storage.ledger.settle(entry({ requestId: "c" }), null),
    ]);
    expect(lost).toMatchObject([{ request_id: "b", model: "gpt-4o-mini", total_tokens: 150 }]);
    const rows = await storage.ledger.rows();
    expect(rows.map((row) => row.requestId).toSorted()).toEqual(["a", "c"]);
  });

  test("a token without quota pays for no reservation", async () => {
    const token = await makeToken();
    const result = await storage.ledger.reserve(wish(token));
    expect(result).toEqual({ admitted: true, reservation: null });
  });

  test("a reservation holds the estimate and a settle leaves what was spent", async () => {
    const token = await makeToken(perDay({ tokens: 5_000 }));
    const reservation = await reserved(token);
    expect((await storage.ledger.used(token.id)).day).toEqual({
      requests: 1,
      tokens: 1_000,
      money: 600_000_000n,
    });
    await storage.ledger.settle(tokenEntry(token), reservation);
    const spent = { requests: 1, tokens: 150, money: 42_000_000n };
    expect(await storage.ledger.used(token.id)).toEqual({ day: spent, month: spent });
    expect(await storage.ledger.rows()).toMatchObject([{ id: reservation.id, tokenId: token.id }]);
  });

  test("a reservation that cannot be does not take its neighbours along", async () => {
    const token = await makeToken(perDay({ requests: 5 }));
    const results = await Promise.allSettled([
      storage.ledger.reserve(wish(token)),
      storage.ledger.reserve(wish({ ...token, id: "nobody" })),
      storage.ledger.reserve(wish(token, { tokens: Number.NaN })),
      storage.ledger.reserve(wish(token)),
    ]);
    expect(results.map((result) => result.status)).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    expect((await storage.ledger.used(token.id)).day.requests).toBe(2);
  });

  test("of calls at once as many are admitted as fit, and the counters say so", async () => {
    const token = await makeToken(perDay({ tokens: 5_000 }));
    const other = await makeToken(perDay({ requests: 1 }), "bob");
    const admitted = async (calls: number, tokens: number) => {
      const asked = Array.from({ length: calls }, (_, at) =>
        storage.ledger.reserve(wish(at === 1 ? other : token, { tokens })),
      );
      return (await Promise.all(asked)).filter((result) => result.admitted).length;
    };
    expect(await admitted(3, 1_000)).toBe(3);
    expect(await admitted(6, 1_000)).toBe(3);
    expect((await storage.ledger.used(token.id)).day).toMatchObject({ requests: 5, tokens: 5_000 });
    expect((await storage.ledger.used(other.id)).day.requests).toBe(1);
  });

  test("calls that end at once are charged each in its own", async () => {
    const token = await makeToken(perDay({ tokens: 50_000 }));
    const reservations = await Promise.all(Array.from({ length: 20 }, () => reserved(token)));
    const settled = reservations.map((reservation, at) => {
      const outcome = at < 5 ? ({ outcome: "refused", usage: null, cost: null } as const) : {};
      return storage.ledger.settle(tokenEntry(token, outcome), reservation);
    });
    await Promise.all(settled);
    const spent = { requests: 15, tokens: 15 * 150, money: 15n * 42_000_000n };
    expect((await storage.ledger.used(token.id)).day).toEqual(spent);
    expect(await storage.ledger.rows()).toHaveLength(20);
  });

  test("settling twice changes nothing, at once or later", async () => {
    const token = await makeToken(perDay({ tokens: 5_000 }));
    // what others hold would hide what is given back twice
    await reserved(token);
    const reservation = await reserved(token);
    const settle = () => storage.ledger.settle(tokenEntry(token), reservation);
    await Promise.all([settle(), settle()]);
    await settle();
    expect((await storage.ledger.used(token.id)).day.tokens).toBe(1_150);
    expect(await storage.ledger.rows()).toHaveLength(1);
  });

  test("a call that was refused before it was made gives its request back", async () => {
    const token = await makeToken(perDay({ requests: 1 }));
    const reservation = await reserved(token);
    const refused = { usage: null, cost: null, outcome: "refused" } as const;
    await storage.ledger.settle(tokenEntry(token, refused), reservation);
    expect((await storage.ledger.used(token.id)).day).toEqual({
      requests: 0,
      tokens: 0,
      money: 0n,
    });
    await reserved(token);
  });

  test.each([
    ["requests", perDay({ requests: 2 }), "day"],
    ["tokens", perDay({ tokens: 2_500 }), "day"],
    ["money", perMonth({ money: 1_300_000_000n }), "month"],
  ] as const)("the third call is over a quota of %s", async (quota, quotas, period) => {
    const token = await makeToken(quotas);
    await reserved(token);
    await reserved(token);
    const result = await storage.ledger.reserve(wish(token));
    expect(result).toMatchObject({ admitted: false, refusedBy: { kind: quota, period } });
    if (!result.admitted) {
      expect(result.retryAfterMs).toBe(period === "day" ? dayMs / 2 : 9.5 * dayMs);
    }
    // A refused call has taken nothing.
    expect((await storage.ledger.used(token.id)).day.requests).toBe(2);
  });

  test("a call larger than its quota is told that waiting does not help", async () => {
    const token = await makeToken(perDay({ tokens: 10 }));
    const result = await storage.ledger.reserve(wish(token));
    expect(result).toMatchObject({ admitted: false, retryAfterMs: null });
  });

  test("a new day starts anew, the month goes on, and old calls settle in their own day", async () => {
    const token = await makeToken(perDay({ requests: 1 }));
    const yesterday = await reserved(token);
    clock.set(noon + dayMs);
    await reserved(token);
    await storage.ledger.settle(tokenEntry(token), yesterday);
    const use = await storage.ledger.used(token.id);
    expect(use.day).toEqual({ requests: 1, tokens: 1_000, money: 600_000_000n });
    expect(use.month).toEqual({ requests: 2, tokens: 1_150, money: 642_000_000n });
  });

  test("a clock that goes back gives no second quota, and a wild one locks nobody out", async () => {
    const token = await makeToken(perDay({ requests: 1 }));
    clock.set(noon + dayMs);
    await reserved(token);
    clock.set(noon);
    expect(await storage.ledger.reserve(wish(token))).toMatchObject({ admitted: false });
    clock.set(noon + 5_000 * dayMs);
    await reserved(token);
    clock.set(noon + 2 * dayMs);
    await reserved(token);
  });

  test("a living process keeps its reservations when another one starts", async () => {
    const token = await makeToken(perDay({ requests: 5 }));
    const reservation = await reserved(token);
    clock.set(noon + 14_000);
    const second = await database.open({ clock });
    expect(await second.ledger.recover()).toBe(0);
    await storage.ledger.settle(tokenEntry(token), reservation);
    expect(await second.ledger.rows()).toMatchObject([{ outcome: "completed" }]);
  });

  test("a dead process's calls are settled as interrupted and unknown", async () => {
    const token = await makeToken(perDay({ requests: 5 }));
    const reservation = await reserved(token, { requestId: "lost" });
    clock.set(noon + 16_000);
    const second = await database.open({ clock });
    expect(await second.ledger.rows()).toMatchObject([
      {
        id: reservation.id,
        requestId: "lost",
        at: noon,
        outcome: "interrupted",
        provenance: "unknown",
        totalTokens: null,
        cost: null,
        durationMs: null,
      },
    ]);
    const use = await second.ledger.used(token.id);
    expect(use.day).toEqual({ requests: 1, tokens: 0, money: 0n });
  });

  test("a process that was only asleep corrects the row that was written for it", async () => {
    const token = await makeToken(perDay({ requests: 5 }));
    const reservation = await reserved(token);
    clock.set(noon + 60_000);
    expect(await (await database.open({ clock })).ledger.recover()).toBe(0);
    await storage.ledger.settle(tokenEntry(token), reservation);
    await storage.ledger.settle(tokenEntry(token), reservation);
    expect(await storage.ledger.rows()).toMatchObject([{ outcome: "completed", totalTokens: 150 }]);
    const use = await storage.ledger.used(token.id);
    expect(use.day).toEqual({ requests: 1, tokens: 150, money: 42_000_000n });
  });

  test("a new process with the name of an old one need not wait", async () => {
    const first = await database.open({ clock, instanceName: "parley-1" });
    const token = await makeToken(perDay({ requests: 5 }));
    await first.ledger.reserve(wish(token));
    const second = await database.open({ clock, instanceName: "parley-1" });
    expect(await second.ledger.rows()).toMatchObject([{ outcome: "interrupted" }]);
  });

  test("sums are exact, by day, model and token", async () => {
    const token = await makeToken();
    const huge = { usage: null, cost: 9_007_199_254_740_993n };
    await storage.ledger.settle(entry({ ...huge }), null);
    await storage.ledger.settle(
      entry({ ...huge, at: noon + dayMs, model: "x", answeredBy: null }),
      null,
    );
    await storage.ledger.settle(tokenEntry(token), null);
    const days = await storage.ledger.sums("day");
    expect(days.map((day) => [day.key, day.requests, day.cost])).toEqual([
      ["2026-11-21", 2, "9007.199296740993"],
      ["2026-11-22", 1, "9007.199254740993"],
    ]);
    const models = await storage.ledger.sums("model", { to: noon + 1 });
    expect(models.map((model) => model.key)).toEqual(["gpt-4o-mini-2024-07-18"]);
    const [own] = await storage.ledger.sums("token", { tokenId: token.id });
    expect(own).toEqual({
      key: token.id,
      requests: 1,
      promptTokens: 100,
      completionTokens: 50,
      cachedTokens: 40,
      totalTokens: 150,
      cost: "0.000042",
      unknownCosts: 0,
    });
  });

  test("the week shows the token's own rows of seven days, newest first", async () => {
    const token = await makeToken();
    const other = await makeToken(noQuotas, "grace");
    for (const at of [noon - 7 * dayMs - 1, noon - 7 * dayMs, noon - 1_500]) {
      await storage.ledger.settle(tokenEntry(token, { at, upstreamId: `r${at}` }), null);
    }
    await storage.ledger.settle(tokenEntry(other), null);
    await storage.ledger.settle(tokenEntry(token, { usage: null, cost: null }), null);
    const week = await storage.ledger.week(token.id);
    expect(week.map((row) => row.remote_id)).toEqual([`r${noon - 1_500}`, `r${noon - 7 * dayMs}`]);
    expect(week[0]).toEqual({
      remote_id: `r${noon - 1_500}`,
      model: "gpt-4o-mini-2024-07-18",
      total_token: 150,
      price: "0.000042",
      timestamp: noon / 1_000 - 2,
    });
    expect(await storage.ledger.week("\0")).toEqual([]);
  });

  test("pages, an export and a purge see every row once", async () => {
    const many = Array.from({ length: 2_500 }, (_, at) =>
      storage.ledger.settle(entry({ at: noon + Math.floor(at / 3), requestId: `r${at}` }), null),
    );
    await Promise.all(many);
    const exported: LedgerRow[] = [];
    for await (const row of storage.ledger.export({ from: noon })) exported.push(row);
    expect(new Set(exported.map((row) => row.requestId)).size).toBe(2_500);
    expect(exported.map((row) => row.at)).toEqual(
      exported.map((row) => row.at).toSorted((a, b) => a - b),
    );
    const first = await storage.ledger.rows({ limit: 700 });
    const last = first.at(-1);
    if (last === undefined) throw new Error("no rows");
    const next = await storage.ledger.rows({ limit: 700, before: last });
    expect(new Set([...first, ...next].map((row) => row.id)).size).toBe(1_400);
    expect(await storage.ledger.purge(noon + 800)).toBe(2_400);
    expect(await storage.ledger.rows()).toHaveLength(100);
  }, 20_000);
});
