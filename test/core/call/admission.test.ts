import { randomUUID } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import type { NewToken } from "../../../src/core/accounts/accounts.ts";
import { type AdmissionOptions, createAdmission } from "../../../src/core/call/admission.ts";
import type { Principal } from "../../../src/core/call/call.ts";
import { NOTHING_SEEN } from "../../../src/core/call/estimate.ts";
import { createReasoningModels } from "../../../src/core/call/reasoning.ts";
import { ProxyError } from "../../../src/core/errors.ts";
import type { CallRecord } from "../../../src/core/ports.ts";
import type { RelayAccount } from "../../../src/core/upstream-ports.ts";
import { createOpenCallLimiter } from "../../../src/limits/concurrency.ts";
import { createMemoryAmounts } from "../../../src/limits/memory-amounts.ts";
import { createMemoryTokenLimiter } from "../../../src/limits/memory-limiter.ts";
import { noon, perDay, standingClock } from "../../storage/support/calls.ts";
import { createDatabase } from "../../storage/support/databases.ts";

const MODEL = "gpt-4o-mini";
const bucket = "192.0.2.1";
const visitor: Principal = { kind: "visitor", bucket };
const clock = standingClock();
const database = await createDatabase("sqlite");
const storage = await database.open({ clock });
await storage.prices.set({ model: MODEL, input: "1", cachedInput: "1", output: "2", since: 0 });
await storage.prices.set({ model: "dear", input: "10", cachedInput: "10", output: "20", since: 0 });
afterAll(() => database.drop());

const away = () => Promise.reject(new Error("the database is away"));
let calls = 0;

/** An admission over SQLite, and the principal of a new token. */
async function scene(token: Partial<NewToken> = {}, options: Partial<AdmissionOptions> = {}) {
  const { ledger, background, prices, tokens } = storage;
  const { admit } = createAdmission({
    ledger,
    background,
    prices,
    reasoning: createReasoningModels(),
    clock,
    digestKey: (key) => key.length.toString(16).padStart(64, "0"),
    onAccepted: () => undefined,
    tokenLimiter: createMemoryTokenLimiter(clock),
    tokenMinutes: createMemoryAmounts(clock),
    tokenCalls: createOpenCallLimiter(),
    maxReservedAnswer: 8_192,
    onDisconnect: "cancel",
    ...options,
  });
  const { secret, token: made } = await tokens.create({ name: randomUUID(), ...token });
  const found = await tokens.find(secret);
  if (found === null) throw new Error("no such token");
  const holder: Principal = { kind: "token", bucket, found };
  const requestId = `request-${calls++}`;
  return {
    holder,
    requestId,
    admit: (principal: Principal, model = MODEL, answer = 1_000, beside?: Promise<void>) => {
      const expected = { question: 0, answer, answers: 1 };
      const targets = [{ model: null }];
      return admit({ requestId, dialect: "openai", principal, model, targets, expected, beside });
    },
    used: async () => (await ledger.used(made.id)).day,
    row: async () => (await ledger.rows()).find((row) => row.requestId === requestId),
    record: (changes: Partial<CallRecord> = {}): CallRecord => ({
      requestId,
      dialect: "openai",
      bucket,
      principal: "token",
      model: MODEL,
      answeredBy: `${MODEL}-2024-07-18`,
      usage: { promptTokens: 100, completionTokens: 50, totalTokens: 150, cachedTokens: 0 },
      provenance: "reported",
      upstreamId: "chatcmpl-1",
      outcome: "completed",
      error: null,
      streamed: false,
      firstTokenMs: null,
      durationMs: 80,
      upstream: null,
      upstreamModel: MODEL,
      tries: 1,
      ...changes,
    }),
  };
}

test("a token's call holds the most it may cost until it is settled with what it did cost", async () => {
  const { admit, holder, used, record, row } = await scene({ quotas: perDay({ tokens: 5_000 }) });
  const permit = await admit(holder);
  expect(await used()).toEqual({ requests: 1, tokens: 1_000, money: 2_000_000_000n });
  await permit.settle(record());
  expect(await used()).toEqual({ requests: 1, tokens: 150, money: 200_000_000n });
  expect(await row()).toMatchObject({
    at: noon,
    payerKind: "token",
    keyDigest: null,
    cost: "0.0002",
    provenance: "reported",
    onDisconnect: "cancel",
    upstreamId: "chatcmpl-1",
  });
});

test.each([
  ["that has a price, by its own", "dear", "0.002"],
  ["that has none, by the price of the model asked for", "strange", "0.0002"],
  ["without a name, by the price of the model asked for", "", "0.0002"],
])("an answer by a model %s", async (_, answeredBy, cost) => {
  const { admit, holder, record, row } = await scene();
  await (await admit(holder)).settle(record({ answeredBy }));
  expect((await row())?.cost).toBe(cost);
});

const seen: RelayAccount = { ...NOTHING_SEEN, model: MODEL, answerTokens: 100 };
const all = { promptTokens: 0, completionTokens: 1_000, totalTokens: 1_000 };

test.each<[string, RelayAccount | undefined, string, object | null]>([
  ["was never asked or refused", undefined, "unknown", null],
  ["does not say it", seen, "estimated", { totalTokens: 110 }],
  ["says it", { ...seen, usage: { ...all, cachedTokens: 0 } }, "reported", all],
  ["has reported thoughts", { ...seen, reasoned: true }, "estimated", all],
  ["is still at it", { ...seen, pending: true }, "estimated", all],
])("the usage of a call whose upstream %s", async (_, account, provenance, usage) => {
  const { admit, holder } = await scene();
  const used = (await admit(holder)).used(account);
  expect(used.provenance).toBe(provenance);
  if (usage === null) expect(used.usage).toBeNull();
  else expect(used.usage).toMatchObject(usage);
});

test("a model that has reported thoughts is estimated with them from then on", async () => {
  const { admit, holder } = await scene();
  (await admit(holder)).used({ ...seen, reasoned: true, usage: { ...all, cachedTokens: 0 } });
  expect((await admit(holder)).used(seen).usage).toMatchObject(all);
});

test.each([
  ["there is no room to keep it", async () => false],
  ["the database is away when it is to be kept", away],
])("a background answer is estimated at once if %s", async (_, keep) => {
  const quotas = perDay({ tokens: 5_000 });
  const { admit, holder, record, row, used } = await scene({ quotas }, { background: { keep } });
  const permit = await admit(holder);
  const account = { ...seen, pending: true, upstreamId: "resp_1" };
  expect(permit.used(account).usage).toBeNull();
  await permit.settle(record(permit.used(account)), account);
  expect((await used()).tokens).toBe(1_000);
  expect(await row()).toMatchObject({ totalTokens: 1_000, provenance: "estimated" });
});

test("what is estimated is charged and in the row alike", async () => {
  const { admit, holder, record, row, used } = await scene({ quotas: perDay({ tokens: 5_000 }) });
  const permit = await admit(holder);
  await permit.settle(record(permit.used(seen)));
  expect(await used()).toEqual({ requests: 1, tokens: 110, money: 220_000_000n });
  expect(await row()).toMatchObject({ totalTokens: 110, cost: "0.00022", provenance: "estimated" });
});

test.each<[string, Partial<NewToken>, string, object]>([
  ["no model", { models: ["dear"] }, "", { code: "field_missing", details: { field: "model" } }],
  ["a model that is not the token's", { models: ["dear"] }, MODEL, { code: "model_forbidden" }],
  ["a forbidden model without a price", { models: [MODEL] }, "x", { code: "model_forbidden" }],
  ["a model without a price", {}, "x", { code: "model_not_priced", params: { model: "x" } }],
])("%s is refused, and has taken nothing", async (_, token, model, error) => {
  const limits = { minute: 1 };
  const { admit, holder, used } = await scene({
    ...token,
    limits,
    quotas: perDay({ requests: 9 }),
  });
  await expect(admit(holder, model)).rejects.toMatchObject(error);
  expect((await used()).requests).toBe(0);
  await admit(holder, token.models?.[0] ?? MODEL); // the window has its one call still
});

test("a full window refuses before the quotas are asked", async () => {
  const { admit, holder, used } = await scene({
    limits: { minute: 1 },
    quotas: perDay({ requests: 1 }),
  });
  await admit(holder);
  await expect(admit(holder)).rejects.toMatchObject({
    code: "rate_limited",
    params: { window: "minute", limit: 1 },
    retryAfterMs: 60_000,
  });
  expect((await used()).requests).toBe(1);
});

test("a decision that comes later is waited for", async () => {
  const local = createMemoryTokenLimiter(clock);
  const tokenLimiter = {
    ...local,
    take: async (token: Parameters<typeof local.take>[0]) => local.take(token),
  };
  const { admit, holder } = await scene({ limits: { minute: 1 } }, { tokenLimiter });
  await admit(holder);
  await expect(admit(holder)).rejects.toMatchObject({ code: "rate_limited" });
});

test("what refuses a call beside it leaves windows and quotas as they were", async () => {
  const quotas = perDay({ requests: 9 });
  const { admit, holder, used } = await scene({ limits: { minute: 1 }, quotas });
  const refusal = new ProxyError("streams_limited");
  for (const principal of [holder, visitor]) {
    await expect(admit(principal, MODEL, 1, Promise.reject(refusal))).rejects.toBe(refusal);
  }
  expect((await used()).requests).toBe(0);
  await admit(holder, MODEL, 1, Promise.resolve()); // the window has its one call still
  expect((await used()).requests).toBe(1);
});

test("a full quota is named, with the end of its period", async () => {
  const { admit, holder } = await scene({ quotas: perDay({ tokens: 1_500 }) });
  await admit(holder);
  await expect(admit(holder)).rejects.toMatchObject({
    code: "quota_exceeded",
    params: { quota: "tokens", period: "day", state: "too_little" },
    details: { quota: "tokens", period: "day", reset_at: "2026-11-22T00:00:00.000Z" },
    retryAfterMs: 12 * 3_600_000,
  });
});

test("a quota of which nothing is left is used up", async () => {
  const { admit, holder } = await scene({ quotas: perDay({ requests: 1 }) });
  await admit(holder);
  await expect(admit(holder)).rejects.toMatchObject({ params: { state: "used_up" } });
});

test("a call that alone is larger than a quota is not told to come back", async () => {
  const { admit, holder } = await scene({ quotas: perDay({ tokens: 999 }) });
  await expect(admit(holder)).rejects.toMatchObject({
    code: "quota_exceeded",
    params: { state: "too_small" },
    retryAfterMs: Number.POSITIVE_INFINITY,
  });
});

test.each([
  ["a visitor", visitor, { payerKind: "visitor", keyDigest: null }],
  [
    "a caller with a key",
    { kind: "own-key", bucket, key: "sk-own" } as const,
    { payerKind: "own-key", keyDigest: expect.stringMatching(/^[0-9a-f]{64}$/) },
  ],
])("%s needs no price, and no key is in the row", async (_, principal, payer) => {
  const { admit, record, row } = await scene();
  await (await admit(principal, "x")).settle(record({ model: "x", answeredBy: null }));
  expect(await row()).toMatchObject({ ...payer, tokenId: null, cost: null, price: null });
});

test("without the database a visitor is served, and a token is told to come back", async () => {
  const prices = { ...storage.prices, priceOf: away };
  const { admit, holder } = await scene({}, { prices });
  await admit(visitor);
  await expect(admit(holder)).rejects.toMatchObject({ code: "storage_unavailable" });
});

test("a token whose quotas cannot be asked is told to come back", async () => {
  const ledger = { ...storage.ledger, reserve: away };
  const { admit, holder } = await scene({ quotas: perDay({ requests: 1 }) }, { ledger });
  await expect(admit(holder)).rejects.toMatchObject({ code: "storage_unavailable" });
});
