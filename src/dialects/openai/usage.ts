import type { Ledger, LedgerRow, LedgerSum, Token } from "../../core/accounts/accounts.ts";
import type { TokenState } from "../../core/accounts/token-state.ts";
import type { Principal } from "../../core/call/call.ts";
import { ProxyError } from "../../core/errors.ts";
import type { SnakeCase } from "../../core/named.ts";
import { writeState } from "./token-state.ts";

/** Newest calls in `GET /usage`. */
const MAX_CALLS_SHOWN = 100;
/** Those in `last`, which is for people. */
const MAX_LAST_SHOWN = 20;
/** 30 days. */
const RECENT_MS = 30 * 86_400_000;

export interface ReportOptions {
  readonly ledger: Ledger;
  readonly stateOf: (token: Token) => Promise<TokenState>;
}

/** `GET /usage`: what a token has left, what it spent by day and by model, and its latest calls. */
export async function usageOf({ ledger, stateOf }: ReportOptions, principal: Principal) {
  const token = tokenOf(principal);
  const { id: tokenId } = token;
  const state = await stateOf(token);
  const [days, models, recent, rows] = await Promise.all([
    ledger.sums("day", { tokenId }),
    ledger.sums("model", { tokenId }),
    ledger.sums("model", { tokenId, from: state.at - RECENT_MS }),
    ledger.rows({ tokenId, limit: MAX_CALLS_SHOWN }),
  ]);
  return {
    token: { name: token.name, state: "active", expires_at: isoOrNull(token.expiresAt) },
    ...writeState(state),
    by_day: days.map((sum) => ({ day: sum.key, ...countsOf(sum) })),
    by_model: models.map((sum) => ({ model: sum.key, ...countsOf(sum) })),
    last_30_days: recent.map((sum) => ({ model: sum.key, ...countsOf(sum) })),
    last: rows.slice(0, MAX_LAST_SHOWN).map(lastOf),
    calls: rows.map(callOf),
  };
}

/** `GET /data/week`: the last seven days, with prices as numbers, as in the token agent. */
export async function weekOf({ ledger }: ReportOptions, principal: Principal) {
  const rows = await ledger.week(tokenOf(principal).id);
  return rows.map((row) => ({ ...row, price: row.price === null ? null : Number(row.price) }));
}

function tokenOf(principal: Principal): Token {
  if (principal.kind === "token") return principal.found.token;
  throw new ProxyError("token_rejected");
}

function countsOf(sum: LedgerSum) {
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

function lastOf({ at, model, totalTokens, cost, outcome }: LedgerRow) {
  return { at: new Date(at).toISOString(), model, tokens: totalTokens, cost, outcome };
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function callOf(row: LedgerRow) {
  return {
    request_id: row.requestId,
    time: new Date(row.at).toISOString(),
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
    error: row.error,
  } satisfies Partial<SnakeCase<LedgerRow>> & { time: string };
}
