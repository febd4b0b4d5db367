import type { LedgerRow } from "../accounts/accounts.ts";
import type { LedgerQuery } from "../accounts/ledger-query.ts";

/** Where a page of calls ended. */
export type CallPlace = Pick<LedgerRow, "at" | "id">;

export interface CallQuery extends LedgerQuery {
  /** At most 1,000. */
  readonly limit: number;
  readonly before?: CallPlace;
  /** Only those that ended since then. Milliseconds since 1970. */
  readonly endedSince?: number;
}

export interface ListedCall extends LedgerRow {
  readonly tokenName: string | null;
}

/** Newest first, by when they began. */
export interface CallPage {
  readonly calls: readonly ListedCall[];
  /** Null at the end. A page may be short of the limit before that. */
  readonly next: CallPlace | null;
}
