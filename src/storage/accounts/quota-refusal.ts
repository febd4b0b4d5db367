import type { TokenGroup } from "../../core/accounts/groups.ts";
import {
  type Quotas,
  type QuotaUse,
  quotaStates,
  refusingQuota,
} from "../../core/accounts/quota.ts";
import type { Refusal } from "../../core/accounts/reservation.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { useOf, useQuery } from "./quotas.ts";
import { groupOf, type Pending } from "./take.ts";

/** Reads why a call had no place; null if it has one now. Of two quotas, the one that returns last. */
export function createRefusal({ builder }: Database) {
  const use = useQuery(builder);
  function* refusedBy(
    pending: Pending,
    id: string,
    quotas: Quotas,
    group: TokenGroup | null,
  ): Transaction<Refusal | null> {
    const [stored] = yield* query(use({ tokenId: id }));
    if (stored === undefined) throw missing();
    return refused(pending, quotas, useOf(stored, pending.periods), group);
  }
  return function* (pending: Pending): Transaction<Refusal | null> {
    const { token } = pending.request;
    const own = yield* refusedBy(pending, token.id, token.quotas, null);
    const group = groupOf(token);
    const shared = group && (yield* refusedBy(pending, group.id, group.quotas, group));
    return waitOf(shared) > waitOf(own) ? shared : own;
  };
}

function missing(): ProxyError {
  const cause = new Error("a reservation for a token that does not exist");
  return new ProxyError("internal", { cause });
}

function waitOf(refusal: Refusal | null): number {
  if (refusal === null) return -1;
  return refusal.retryAfterMs ?? Number.POSITIVE_INFINITY;
}

function refused(
  { wanted, nowMs }: Pending,
  quotas: Quotas,
  use: QuotaUse,
  group: TokenGroup | null,
): Refusal | null {
  const refusedBy = refusingQuota(quotas, use, wanted, nowMs);
  if (refusedBy === null) return null;
  // Waiting helps only a call that fits into every quota when it is empty.
  const neverFits = quotaStates(quotas, use, nowMs).some(
    (state) => BigInt(wanted[state.kind]) > state.limit,
  );
  return {
    admitted: false,
    refusedBy,
    group,
    retryAfterMs: neverFits ? null : refusedBy.resetsAt - nowMs,
  };
}
