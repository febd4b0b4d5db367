import type { LedgerRow, LedgerSum, Token } from "../core/accounts/accounts.ts";
import { formatMoney } from "../core/accounts/money.ts";
import type { Price } from "../core/accounts/price.ts";
import { type QuotaState, type QuotaUse, quotaStates } from "../core/accounts/quota.ts";

/** A token as the command line and the HTTP interface show it; names as in what makes one. */
function shownToken(token: Token) {
  const { day, month } = token.quotas;
  return {
    id: token.id,
    name: token.name,
    comment: token.comment,
    hint: token.hint,
    state: token.revokedAt === null ? "valid" : "revoked",
    created_at: timeText(token.createdAt),
    expires_at: timeOrNull(token.expiresAt),
    revoked_at: timeOrNull(token.revokedAt),
    models: token.models,
    requests_per_day: day.requests,
    requests_per_month: month.requests,
    tokens_per_day: day.tokens,
    tokens_per_month: month.tokens,
    money_per_day: day.money === null ? null : formatMoney(day.money),
    money_per_month: month.money === null ? null : formatMoney(month.money),
    second_limit: token.limits.second ?? null,
    minute_limit: token.limits.minute ?? null,
    hour_limit: token.limits.hour ?? null,
    day_limit: token.limits.day ?? null,
    own_upstream_key: token.hasUpstreamKey,
  };
}

export type ShownToken = ReturnType<typeof shownToken>;

/** Valid, expired or revoked, at this moment. */
export function withState(token: Token, nowMs: number): ShownToken {
  const shown = shownToken(token);
  const expired = token.expiresAt !== null && token.expiresAt <= nowMs;
  return expired && token.revokedAt === null ? { ...shown, state: "expired" } : shown;
}

/** Where each quota stands. Money is a decimal text, counts are numbers. */
export function shownQuotas(token: Token, use: QuotaUse, nowMs: number) {
  const amount = ({ kind }: QuotaState, value: bigint) =>
    kind === "money" ? formatMoney(value) : Number(value);
  return quotaStates(token.quotas, use, nowMs).map((state) => ({
    quota: state.kind,
    period: state.period,
    limit: amount(state, state.limit),
    used: amount(state, state.used),
    resets_at: timeText(state.resetsAt),
  }));
}

export function shownPrice({ model, input, cachedInput, output, since }: Price) {
  return { model, input, cached_input: cachedInput, output, since: timeText(since) };
}

export function shownSum(sum: LedgerSum) {
  return {
    requests: sum.requests,
    prompt_tokens: sum.promptTokens,
    cached_tokens: sum.cachedTokens,
    completion_tokens: sum.completionTokens,
    total_tokens: sum.totalTokens,
    cost: sum.cost,
    calls_of_unknown_cost: sum.unknownCosts,
  };
}

/** One call, in the order of the columns of a CSV file. */
export function shownRow(row: LedgerRow) {
  return {
    id: row.id,
    request_id: row.requestId,
    time: timeText(row.at),
    payer: row.payerKind,
    token: row.tokenId,
    key_digest: row.keyDigest,
    dialect: row.dialect,
    model: row.model,
    answered_by: row.answeredBy,
    prompt_tokens: row.promptTokens,
    cached_tokens: row.cachedTokens,
    completion_tokens: row.completionTokens,
    total_tokens: row.totalTokens,
    price: row.price,
    cost: row.cost,
    provenance: row.provenance,
    outcome: row.outcome,
    on_disconnect: row.onDisconnect,
    status: row.status,
    error: row.error,
    first_token_ms: row.firstTokenMs,
    duration_ms: row.durationMs,
    upstream_id: row.upstreamId,
  };
}

export const rowColumns = [
  "id",
  "request_id",
  "time",
  "payer",
  "token",
  "key_digest",
  "dialect",
  "model",
  "answered_by",
  "prompt_tokens",
  "cached_tokens",
  "completion_tokens",
  "total_tokens",
  "price",
  "cost",
  "provenance",
  "outcome",
  "on_disconnect",
  "status",
  "error",
  "first_token_ms",
  "duration_ms",
  "upstream_id",
] as const satisfies readonly (keyof ReturnType<typeof shownRow>)[];

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : timeText(ms);
}
