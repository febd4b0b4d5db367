import type { Token, TokenId } from "./accounts.ts";
import type { QuotaChanges, Quotas } from "./quota.ts";

/** What a call needs to know of the group of its token. */
export interface TokenGroup {
  /** Also the name of its counters; no token has it. */
  readonly id: TokenId;
  readonly name: string;
  readonly quotas: Quotas;
}

/** A purse that tokens share beside their own quotas. */
export interface GroupDetails extends TokenGroup, Pick<Token, "comment" | "createdAt"> {
  /** Tokens in it that are not revoked. */
  readonly tokens: number;
}

export interface NewGroup extends Pick<GroupDetails, "name"> {
  readonly comment: string | null | undefined;
  readonly quotas: QuotaChanges;
}

/** What is left out stays, and null takes a bound away. */
export type GroupChanges = Omit<NewGroup, "name">;

export interface GroupQuery {
  /** At most 1,000. */
  readonly limit?: number;
  /** The name of the last one seen. */
  readonly after?: string;
}

/** Groups by name. */
export interface GroupStore {
  /** Refused if there is one of this name. */
  create(group: NewGroup): Promise<GroupDetails>;
  /** Null if there is none, like the next ones. */
  update(name: string, changes: GroupChanges): Promise<GroupDetails | null>;
  show(name: string): Promise<GroupDetails | null>;
  /** By name. */
  list(query?: GroupQuery): Promise<readonly GroupDetails[]>;
  /** Refused while it has tokens that are not revoked. */
  remove(name: string): Promise<GroupDetails | null>;
}
