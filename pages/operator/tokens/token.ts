import type { Quota } from "../../holder/usage.ts";

export const quotaNames = [
  "requests_per_day",
  "requests_per_month",
  "tokens_per_day",
  "tokens_per_month",
  "money_per_day",
  "money_per_month",
] as const;

export const limitNames = [
  "second_limit",
  "minute_limit",
  "hour_limit",
  "day_limit",
  "tokens_per_minute",
  "concurrency",
] as const;

type Amounts<Name extends string> = Readonly<Record<Name, number | string | null>>;

/** What tokens and groups share. */
export interface Purse extends Amounts<(typeof quotaNames)[number]> {
  readonly name: string;
  readonly comment: string;
}

export type TokenState = "valid" | "disabled" | "expired" | "revoked";
export const tokenStates: readonly TokenState[] = ["valid", "disabled", "expired", "revoked"];

/** A token as /admin shows it. */
export interface Token extends Purse, Amounts<(typeof limitNames)[number]> {
  readonly id: string;
  readonly hint: string;
  readonly state: TokenState;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly disabled_at: string | null;
  readonly grace_until: string | null;
  readonly models: readonly string[] | null;
  readonly group: string | null;
  readonly own_upstream_key: boolean;
}

export interface TokenDetails extends Token {
  readonly quotas: readonly UsedQuota[];
}

export type UsedQuota = Omit<Quota, "group" | "left">;
