import { Quotas } from "../../holder/left.tsx";
import type { UsedQuota } from "./token.ts";

interface QuotaTableProps {
  readonly quotas: readonly UsedQuota[];
  /** The group whose quotas they are; null: the token's. */
  readonly group: string | null;
}

/** What is used includes what open calls have reserved. */
export function quotaRows({ quotas, group }: QuotaTableProps) {
  return quotas.map((one) => ({ ...one, group, left: leftOf(one) }));
}

export function QuotaTable({ parts }: { readonly parts: readonly QuotaTableProps[] }) {
  const rows = parts.flatMap(quotaRows);
  return rows.length === 0 ? null : <Quotas quotas={rows} />;
}

function leftOf({ limit, used }: UsedQuota): number | string {
  if (typeof limit === "number") return Math.max(0, limit - Number(used));
  const left = scaled(limit) - scaled(String(used));
  return left > 0n ? unscaled(left) : "0";
}

/** Of a dollar, as the server counts. */
const PLACES = 12;

function scaled(dollars: string): bigint {
  const [whole = "0", fraction = ""] = dollars.split(".");
  return BigInt(whole + fraction.padEnd(PLACES, "0"));
}

function unscaled(amount: bigint): string {
  const digits = String(amount).padStart(PLACES + 1, "0");
  const fraction = digits.slice(-PLACES).replace(/0+$/, "");
  return fraction === "" ? digits.slice(0, -PLACES) : `${digits.slice(0, -PLACES)}.${fraction}`;
}
