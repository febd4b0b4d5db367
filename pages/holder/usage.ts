/** The parts of `GET /usage` that the page shows. */
export interface Usage {
  readonly token: { readonly name: string; readonly expires_at: string | null };
  readonly quotas: readonly Quota[];
  readonly limits: readonly Limit[];
  readonly by_day: readonly ({ readonly day: string } & Spent)[];
  readonly last_30_days: readonly ({ readonly model: string } & Spent)[];
  readonly last: readonly LastCall[];
}

export interface Spent {
  readonly requests: number;
  readonly total_tokens: number;
  readonly cost: string | null;
}

export interface Quota {
  readonly group: string | null;
  readonly quota: "requests" | "tokens" | "money";
  readonly period: "day" | "month";
  readonly limit: number | string;
  readonly used: number | string;
  readonly left: number | string;
  readonly resets_at: string;
}

export interface Limit {
  readonly counts: "requests" | "tokens" | "open_calls";
  readonly window: string | null;
  readonly limit: number;
  readonly used: number | null;
  readonly left: number | null;
  readonly resets_at: string | null;
}

export interface LastCall {
  readonly at: string;
  readonly model: string;
  readonly tokens: number | null;
  readonly cost: string | null;
  readonly outcome: string;
}
