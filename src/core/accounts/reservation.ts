import type { LedgerRow, TokenId } from "./accounts.ts";
import type { TokenGroup } from "./groups.ts";
import type { Periods, QuotaState, Spending } from "./quota.ts";

/** Amounts reserved in the quotas of a token and its group, held until the call is settled. */
export interface Reservation extends Periods, Spending, Pick<LedgerRow, "id"> {
  readonly tokenId: TokenId;
  /** Null, like its periods, if no quotas of a group were asked. */
  readonly groupId: TokenGroup["id"] | null;
  readonly groupDay: Periods["day"] | null;
  readonly groupMonth: Periods["month"] | null;
}

export type Refusal = Extract<ReserveResult, { readonly admitted: false }>;

export type ReserveResult =
  /** No reservation where the token has no quota: nothing was written. */
  | { readonly admitted: true; readonly reservation: Reservation | null }
  | {
      readonly admitted: false;
      readonly refusedBy: QuotaState;
      /** Whose quota it is: that of the token's group, or null for the token's own. */
      readonly group: TokenGroup | null;
      /** Until the period ends; null when the call alone is larger than the quota. */
      readonly retryAfterMs: number | null;
    };
