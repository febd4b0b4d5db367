import type { Ledger, LedgerRow, LedgerSum } from "../../core/accounts/accounts.ts";
import type { Principal } from "../../core/call/call.ts";
import { ProxyError } from "../../core/errors.ts";

/** How many of the newest calls `GET /usage` shows beside the sums. */
const ROWS_SHOWN = 100;

/** `GET /usage`: what a token holder has spent, by day and by model, and the latest calls. */
export async function usageOf(ledger: Ledger, principal: Principal) {
  const tokenId = tokenIdOf(principal);
  const [days, models, rows] = await Promise.all([
    ledger.sums("day", { tokenId }),
    ledger.sums("model", { tokenId }),
    ledger.rows({ tokenId, limit: ROWS_SHOWN }),
  ]);
  return {
    by_day: days.map((sum) => ({ day: sum.key, ...countsOf(sum) })),
    by_model: models.map((sum) => ({ model: sum.key, ...countsOf(sum) })),
    calls: rows.map(shown),
  };
}

/** `GET /data/week` of the token agent: the last seven days, prices as numbers as it had them. */
export async function weekOf(ledger: Ledger, principal: Principal) {
  const rows = await ledger.week(tokenIdOf(principal));
  return rows.map((row) => ({ ...row, price: row.price === null ? null : Number(row.price) }));
}

function tokenIdOf(principal: Principal): string {
  if (principal.kind === "token") return principal.found.token.id;
  throw new ProxyError("token_rejected");
}

function countsOf({
  requests,
  promptTokens,
  completionTokens,
  totalTokens,
  cost,
  ...rest
}: LedgerSum) {
  return {
    requests,
    prompt_tokens: promptTokens,
    cached_tokens: rest.cachedTokens,
    completion_tokens: completionTokens,
    total_tokens: totalTokens,
    cost,
    calls_of_unknown_cost: rest.unknownCosts,
  };
}

function shown(row: LedgerRow) {
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
  };
}
