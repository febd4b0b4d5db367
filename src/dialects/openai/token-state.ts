import { z } from "zod";
import { formatMoney } from "../../core/accounts/money.ts";
import type { QuotaKind } from "../../core/accounts/quota.ts";
import type { HeldLimit, HeldQuota, TokenState } from "../../core/accounts/token-state.ts";

const amount = z.union([z.int(), z.string()]).describe("A count, or exact US dollars as text");

/** What `GET /usage` says of quotas and limits. */
export const stateSchemas = {
  quotas: z.array(
    z.object({
      of: z.enum(["token", "group"]),
      group: z.string().nullable(),
      quota: z.enum(["requests", "tokens", "money"]),
      period: z.enum(["day", "month"]),
      limit: amount,
      used: amount,
      reserved: amount.describe("Held by calls that are still open"),
      left: amount,
      resets_at: z.iso.datetime(),
    }),
  ),
  limits: z.array(
    z.object({
      counts: z.enum(["requests", "tokens", "open_calls"]),
      window: z.enum(["second", "minute", "hour", "day"]).nullable(),
      limit: z.int(),
      used: z.int().nullable().describe("Null: can't be counted now"),
      left: z.int().nullable(),
      resets_at: z.iso.datetime().nullable().describe("When the oldest that is counted leaves"),
    }),
  ),
};

export function writeState({ quotas, limits, at }: TokenState) {
  return {
    quotas: quotas.map(quotaOf),
    limits: limits.map((limit) => limitOf(limit, at)),
  } satisfies { [K in keyof typeof stateSchemas]: z.output<(typeof stateSchemas)[K]> };
}

function quotaOf({ group, kind, period, limit, used, reserved, resetsAt }: HeldQuota) {
  const open = reserved < used ? reserved : used;
  const left = used < limit ? limit - used : 0n;
  return {
    of: group === null ? ("token" as const) : ("group" as const),
    group: group?.name ?? null,
    quota: kind,
    period,
    limit: amountOf(kind, limit),
    used: amountOf(kind, used - open),
    reserved: amountOf(kind, open),
    left: amountOf(kind, left),
    resets_at: new Date(resetsAt).toISOString(),
  };
}

function limitOf({ counts, window, limit, used, resetMs }: HeldLimit, at: number) {
  return {
    counts,
    window,
    limit,
    used,
    left: used === null ? null : Math.max(0, limit - used),
    resets_at: resetMs === null ? null : new Date(at + resetMs).toISOString(),
  };
}

function amountOf(kind: QuotaKind, value: bigint): number | string {
  return kind === "money" ? formatMoney(value) : Number(value);
}
