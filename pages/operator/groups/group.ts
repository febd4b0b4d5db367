import type { Purse, UsedQuota } from "../tokens/token.ts";

/** A group as /admin shows it. */
export interface Group extends Purse {
  readonly created_at: string;
  /** Those in it that are not revoked. */
  readonly tokens: number;
}

export interface GroupDetails extends Omit<Group, "quotas"> {
  readonly quotas: readonly UsedQuota[];
}

export const groupPath = (name: string) => `groups/${encodeURIComponent(name)}`;
