import type { ReservedTokens } from "../call/reserved-tokens.ts";
import type { LedgerEntry, LedgerRow } from "./accounts.ts";
import type { Reservation } from "./reservation.ts";

/** An answer that takes so long is worth a background call. */
export const FIRST_LOOK_MS = 2_000;

/** A call whose answer is still being made upstream after the caller has had its response. */
export interface BackgroundCall {
  /** Its row, without usage. */
  readonly entry: LedgerEntry;
  /** Open until the call is settled. */
  readonly reservation: Reservation | null;
  readonly reserved: ReservedTokens;
}

export interface KeptCall extends BackgroundCall, Pick<LedgerRow, "id"> {}

/** Calls that wait for their usage, over all processes. */
export interface BackgroundCalls {
  /** False, having kept nothing, if there is no room for another. */
  keep(call: BackgroundCall): Promise<boolean>;
  /** Calls that are due, and that no other process gets for a while. */
  claim(most: number): Promise<readonly KeptCall[]>;
  /** Not due before this moment; milliseconds since 1970. */
  postpone(call: KeptCall, until: number): Promise<void>;
  /** Writes the row and corrects the counters. A second settle changes nothing. */
  settle(call: KeptCall, entry: LedgerEntry): Promise<void>;
}
