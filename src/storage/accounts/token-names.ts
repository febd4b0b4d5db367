import type { TokenId } from "../../core/accounts/accounts.ts";
import { ProxyError } from "../../core/errors.ts";
import { query, type Transaction } from "../driver/driver.ts";
import type { Builder } from "../driver/queries.ts";

/**
 * Refuses names that other living tokens have. It is exact only in the turn of `oneAtATime`, until the
 * names are written; versions that know no turns may still give a name twice.
 */
export function* requireFreeNames(
  builder: Builder,
  names: readonly string[],
  nowMs: number,
  own: TokenId = "",
): Transaction<void> {
  const living = builder
    .selectFrom("tokens")
    .select(["id", "name"])
    .where("name", "in", names)
    .where("id", "!=", own)
    .where("revoked_at", "is", null)
    .where(({ or, eb }) => or([eb("expires_at", "is", null), eb("expires_at", ">", nowMs)]));
  const [taken] = yield* query(living.orderBy("id").limit(1).compile());
  if (taken === undefined) return;
  const params = { field: "name", value: taken.name, id: taken.id };
  throw new ProxyError("token_name_taken", { params, details: { field: "name", id: taken.id } });
}
