import type { Named } from "../named.ts";
import type { Picodollars } from "./money.ts";

export const quotaKinds = ["requests", "tokens", "money"] as const;
export const quotaPeriods = ["day", "month"] as const;
export type QuotaKind = (typeof quotaKinds)[number];
export type QuotaPeriod = (typeof quotaPeriods)[number];

/** A number per kind; money in picodollars. */
export type Spending = Named<{
  readonly requests: number;
  readonly tokens: number;
  readonly money: Picodollars;
}>;

export function sumOf(a: Spending, b: Spending): Spending {
  return {
    requests: a.requests + b.requests,
    tokens: a.tokens + b.tokens,
    money: a.money + b.money,
  };
}

/** What a token may spend per period; null = unlimited. */
export interface QuotaLimits {
  readonly requests: number | null;
  readonly tokens: number | null;
  readonly money: Picodollars | null;
}

/** What is left out stays, and null takes a bound away. */
export type QuotaChanges = Readonly<
  Partial<Record<QuotaPeriod, Partial<OrUndefined<QuotaLimits>>>>
>;

type OrUndefined<T> = { readonly [K in keyof T]: T[K] | undefined };

export type Quotas = Readonly<Record<QuotaPeriod, QuotaLimits>>;
export type QuotaUse = Readonly<Record<QuotaPeriod, Spending>>;

/** The state of one quota; `limit` and `used` are counts, or picodollars for money. */
export interface QuotaState {
  readonly kind: QuotaKind;
  readonly period: QuotaPeriod;
  readonly limit: bigint;
  readonly used: bigint;
  /** When the period ends, in milliseconds since 1970 (UTC midnight). */
  readonly resetsAt: number;
}

/** The periods of one moment: days since 1970 and months since year 0, both in UTC. */
export type Periods = Named<{
  readonly day: number;
  readonly month: number;
}>;

const DAY_MS = 86_400_000;

export const noLimits: QuotaLimits = { requests: null, tokens: null, money: null };
export const noQuotas: Quotas = { day: noLimits, month: noLimits };
export const noSpending: Spending = { requests: 0, tokens: 0, money: 0n };

export function periodsAt(wallMs: number): Periods {
  const date = new Date(wallMs);
  return {
    day: Math.floor(wallMs / DAY_MS),
    month: date.getUTCFullYear() * 12 + date.getUTCMonth(),
  };
}

/** "2026-11-21" or "2026-11". */
export function periodKey(period: QuotaPeriod, wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, period === "day" ? 10 : 7);
}

export function periodEnd(period: QuotaPeriod, wallMs: number): number {
  if (period === "day") return (Math.floor(wallMs / DAY_MS) + 1) * DAY_MS;
  const date = new Date(wallMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

export function quotasAfter(before: Quotas, { day = {}, month = {} }: QuotaChanges): Quotas {
  return { day: limitsAfter(before.day, day), month: limitsAfter(before.month, month) };
}

function limitsAfter(before: QuotaLimits, changes: Partial<OrUndefined<QuotaLimits>>): QuotaLimits {
  const { requests = before.requests, tokens = before.tokens, money = before.money } = changes;
  return { requests, tokens, money };
}

/** Callers without any quota need no reservation. */
export function hasQuota(quotas: Quotas): boolean {
  return quotaPeriods.some((period) => quotaKinds.some((kind) => quotas[period][kind] !== null));
}

/** Every quota that is set, with what is left of it: for headers and for `GET /usage`. */
export function quotaStates(quotas: Quotas, use: QuotaUse, wallMs: number): readonly QuotaState[] {
  return quotaPeriods.flatMap((period) =>
    quotaKinds.flatMap((kind) => {
      const limit = quotas[period][kind];
      if (limit === null) return [];
      const used = BigInt(use[period][kind]);
      return [{ kind, period, limit: BigInt(limit), used, resetsAt: periodEnd(period, wallMs) }];
    }),
  );
}

/** Why a quota refuses a call: nothing is left, not enough is left, or it is smaller than the call. */
export function refusalOf(
  { limit, used }: QuotaState,
  waitingHelps: boolean,
): "used_up" | "too_little" | "too_small" {
  if (!waitingHelps) return "too_small";
  return used >= limit ? "used_up" : "too_little";
}

/**
 * The quota that refuses `wanted`; if several refuse, the one that resets last. Null if none does.
 */
export function refusingQuota(
  quotas: Quotas,
  use: QuotaUse,
  wanted: Spending,
  wallMs: number,
): QuotaState | null {
  const refusing = quotaStates(quotas, use, wallMs).filter(
    (state) => state.used + BigInt(wanted[state.kind]) > state.limit,
  );
  return refusing.findLast((state) => state.period === "month") ?? refusing[0] ?? null;
}
