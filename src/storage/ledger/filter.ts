import { type SelectQueryBuilder, sql } from "kysely";
import type { LedgerQuery } from "../../core/accounts/ledger-query.ts";
import { isStorable } from "../driver/driver.ts";
import type { Tables } from "../driver/schema.ts";

export function filtered<O>(
  rows: SelectQueryBuilder<Tables, "ledger", O>,
  { tokenId, model, outcome, from, to }: LedgerQuery,
): SelectQueryBuilder<Tables, "ledger", O> {
  let chosen = rows;
  if (tokenId !== undefined) {
    // No row has an id that can't be stored.
    chosen = chosen.where("token_id", "=", isStorable(tokenId) ? tokenId : "");
  }
  if (model !== undefined) {
    const named = isStorable(model) ? model : "";
    chosen = chosen.where(sql<boolean>`(model = ${named} or answered_by = ${named})`);
  }
  if (outcome !== undefined) chosen = chosen.where("outcome", "=", outcome);
  if (from !== undefined) chosen = chosen.where("at", ">=", from);
  if (to !== undefined) chosen = chosen.where("at", "<", to);
  return chosen;
}
