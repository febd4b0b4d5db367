import { z } from "zod";
import type { LedgerSum, Token } from "../core/accounts/accounts.ts";
import type { GroupDetails } from "../core/accounts/groups.ts";
import { formatMoney } from "../core/accounts/money.ts";
import type { Price } from "../core/accounts/price.ts";
import {
  type QuotaState,
  type Quotas,
  type QuotaUse,
  quotaKinds,
  quotaPeriods,
  quotaStates,
} from "../core/accounts/quota.ts";
import { tokenStates } from "../core/reports/token-search.ts";

type Shape = Readonly<Record<string, z.ZodType>>;
type Shown<S extends Shape> = { [K in keyof S]: z.output<S[K]> };

/** Fields as the command and /admin show them: the schema for /openapi.json, and how to read it. */
export function view<T>() {
  return <S extends Shape>(
    fields: {
      readonly [K in keyof S]: readonly [S[K], (from: T) => z.output<S[K]>];
    },
  ) => {
    const entries = Object.entries<readonly [z.ZodType, (from: T) => unknown]>(fields);
    const schemas = Object.fromEntries(entries.map(([name, [schema]]) => [name, schema]));
    return {
      schema: z.object(schemas as S), // the same keys with the schema of each
      show: (from: T) =>
        Object.fromEntries(entries.map(([name, [, read]]) => [name, read(from)])) as Shown<S>,
    };
  };
}

const text = z.string();
const count = z.int();
const time = z.iso.datetime();
const dollars = z.string().describe("US dollars, an exact decimal");
const amount = z.union([count, dollars]);

type OfQuotas<T> = readonly [T, (from: { readonly quotas: Quotas }) => z.output<T>];

/** The quotas of a token or a group. */
const quotaFields = {
  requests_per_day: [count.nullable(), ({ quotas }) => quotas.day.requests],
  requests_per_month: [count.nullable(), ({ quotas }) => quotas.month.requests],
  tokens_per_day: [count.nullable(), ({ quotas }) => quotas.day.tokens],
  tokens_per_month: [count.nullable(), ({ quotas }) => quotas.month.tokens],
  money_per_day: [dollars.nullable(), ({ quotas }) => moneyOrNull(quotas.day.money)],
  money_per_month: [dollars.nullable(), ({ quotas }) => moneyOrNull(quotas.month.money)],
} as const satisfies Readonly<Record<string, OfQuotas<z.ZodType>>>;

const groupView = view<GroupDetails>()({
  name: [text, ({ name }) => name],
  comment: [text, ({ comment }) => comment],
  created_at: [time, ({ createdAt }) => timeText(createdAt)],
  ...quotaFields,
  tokens: [count.describe("Tokens in it that are not revoked"), ({ tokens }) => tokens],
});

const tokenView = view<Token & { readonly nowMs: number }>()({
  id: [text, ({ id }) => id],
  name: [text, ({ name }) => name],
  comment: [text, ({ comment }) => comment],
  hint: [text.describe("How the secret begins and ends"), ({ hint }) => hint],
  state: [z.enum(tokenStates), stateOf],
  created_at: [time, ({ createdAt }) => timeText(createdAt)],
  expires_at: [time.nullable(), ({ expiresAt }) => timeOrNull(expiresAt)],
  revoked_at: [time.nullable(), ({ revokedAt }) => timeOrNull(revokedAt)],
  disabled_at: [time.nullable(), ({ disabledAt }) => timeOrNull(disabledAt)],
  grace_until: [
    time.nullable().describe("Until when an earlier secret is accepted, too"),
    ({ graceUntil, nowMs }) =>
      timeOrNull(graceUntil !== null && graceUntil > nowMs ? graceUntil : null),
  ],
  models: [z.array(text).nullable(), ({ models }) => models && [...models]],
  ...quotaFields,
  second_limit: [count.nullable(), ({ limits }) => limits.second ?? null],
  minute_limit: [count.nullable(), ({ limits }) => limits.minute ?? null],
  hour_limit: [count.nullable(), ({ limits }) => limits.hour ?? null],
  day_limit: [count.nullable(), ({ limits }) => limits.day ?? null],
  tokens_per_minute: [count.nullable(), ({ tokensPerMinute }) => tokensPerMinute],
  concurrency: [count.nullable(), ({ concurrency }) => concurrency],
  group: [text.nullable(), ({ group }) => group?.name ?? null],
  own_upstream_key: [z.boolean(), ({ hasUpstreamKey }) => hasUpstreamKey],
});

const quotaView = view<QuotaState>()({
  quota: [z.enum(quotaKinds), ({ kind }) => kind],
  period: [z.enum(quotaPeriods), ({ period }) => period],
  limit: [amount, (state) => amountOf(state, state.limit)],
  used: [amount, (state) => amountOf(state, state.used)],
  resets_at: [time, ({ resetsAt }) => timeText(resetsAt)],
});

const priceView = view<Price>()({
  model: [text, ({ model }) => model],
  input: [dollars, ({ input }) => input],
  cached_input: [dollars.nullable(), ({ cachedInput }) => cachedInput],
  output: [dollars, ({ output }) => output],
  cache_write: [dollars.nullable(), ({ cacheWrite }) => cacheWrite ?? null],
  cache_write_1h: [dollars.nullable(), ({ cacheWriteHour }) => cacheWriteHour ?? null],
  audio_input: [dollars.nullable(), ({ audioInput }) => audioInput ?? null],
  audio_output: [dollars.nullable(), ({ audioOutput }) => audioOutput ?? null],
  reasoning: [dollars.nullable(), ({ reasoning }) => reasoning ?? null],
  flex_input: [dollars.nullable(), ({ flexInput }) => flexInput ?? null],
  flex_cached_input: [dollars.nullable(), ({ flexCachedInput }) => flexCachedInput ?? null],
  flex_output: [dollars.nullable(), ({ flexOutput }) => flexOutput ?? null],
  priority_input: [dollars.nullable(), ({ priorityInput }) => priorityInput ?? null],
  priority_cached_input: [
    dollars.nullable(),
    ({ priorityCachedInput }) => priorityCachedInput ?? null,
  ],
  priority_output: [dollars.nullable(), ({ priorityOutput }) => priorityOutput ?? null],
  per_image: [dollars.nullable(), ({ perImage }) => perImage ?? null],
  per_minute: [dollars.nullable(), ({ perMinute }) => perMinute ?? null],
  per_million_characters: [
    dollars.nullable(),
    ({ perMillionCharacters }) => perMillionCharacters ?? null,
  ],
  since: [time, ({ since }) => timeText(since)],
});

const sumView = view<LedgerSum>()({
  requests: [count, ({ requests }) => requests],
  prompt_tokens: [count, ({ promptTokens }) => promptTokens],
  cached_tokens: [count, ({ cachedTokens }) => cachedTokens],
  completion_tokens: [count, ({ completionTokens }) => completionTokens],
  total_tokens: [count, ({ totalTokens }) => totalTokens],
  cost: [dollars.nullable(), ({ cost }) => cost],
  calls_of_unknown_cost: [count, ({ unknownCosts }) => unknownCosts],
});

export const viewSchemas = {
  token: tokenView.schema,
  group: groupView.schema,
  quota: quotaView.schema,
  price: priceView.schema,
  sum: sumView.schema,
};

export const shownPrice = priceView.show;
export const shownGroup = groupView.show;
export const shownSum = sumView.show;

export function shownToken(token: Token, nowMs: number) {
  return tokenView.show({ ...token, nowMs });
}

/** Every quota that is set, and how much of it is used. */
export function shownQuotas({ quotas }: Pick<Token, "quotas">, use: QuotaUse, nowMs: number) {
  return quotaStates(quotas, use, nowMs).map(quotaView.show);
}

function stateOf(token: Token & { readonly nowMs: number }) {
  if (token.revokedAt !== null) return "revoked";
  if (token.expiresAt !== null && token.expiresAt <= token.nowMs) return "expired";
  return token.disabledAt === null ? "valid" : "disabled";
}

function amountOf({ kind }: QuotaState, value: bigint): number | string {
  return kind === "money" ? formatMoney(value) : Number(value);
}

function moneyOrNull(value: bigint | null): string | null {
  return value === null ? null : formatMoney(value);
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : timeText(ms);
}
