import type { Token } from "../accounts/accounts.ts";

export const tokenOrders = ["newest", "oldest", "name"] as const;
export type TokenOrder = (typeof tokenOrders)[number];

export const tokenStates = ["valid", "disabled", "expired", "revoked"] as const;
export type TokenCondition = (typeof tokenStates)[number];

/** Where a page of tokens ended. */
export interface TokenPlace {
  readonly order: TokenOrder;
  readonly id: string;
  /** As it is sorted; empty unless names are. */
  readonly name: string;
}

export interface TokenQuery {
  readonly order: TokenOrder;
  /** At most 1,000. */
  readonly limit: number;
  /** In the name, comment, hint or id, in any case. */
  readonly text?: string;
  readonly state?: TokenCondition;
  /** The name of their group. */
  readonly group?: string;
  /** Of the same order. */
  readonly after?: TokenPlace;
}

export interface TokenPage {
  readonly tokens: readonly Token[];
  /** Null at the end. A page may be short of the limit before that. */
  readonly next: TokenPlace | null;
}
