import type { SelectQueryBuilder } from "kysely";
import type { LedgerQuery } from "../../core/accounts/accounts.ts";
import { isStorable } from "../driver/driver.ts";
import type { Tables } from "../driver/schema.ts";

export function filtered<O>(
  rows: SelectQueryBuilder<Tables, "ledger", O>,
  { tokenId, from, to }: LedgerQuery,
): SelectQueryBuilder<Tables, "ledger", O> {
  let chosen = rows;
  if (tokenId !== undefined) {
    // No row has an id that can't be stored.
    chosen = chosen.where("token_id", "=", isStorable(tokenId) ? tokenId : "");
  }
  if (from !== undefined) chosen = chosen.where("at", ">=", from);
  if (to !== undefined) chosen = chosen.where("at", "<", to);
  return chosen;
}
