import type { Outcome } from "../ports.ts";

export const outcomes = [
  "completed",
  "interrupted",
  "canceled",
  "failed",
  "refused",
] as const satisfies readonly Outcome[];

/** Which rows of the ledger. */
export interface LedgerQuery {
  readonly tokenId?: string;
  /** As it was asked for, or who answered. */
  readonly model?: string;
  readonly outcome?: Outcome;
  /** From this moment on; milliseconds since 1970. */
  readonly from?: number;
  /** Before this moment. */
  readonly to?: number;
}
