import type { NewToken, Token } from "../../core/accounts/accounts.ts";
import { formatMoney, parseMoney } from "../../core/accounts/money.ts";
import { noQuotas, type QuotaLimits, type Quotas } from "../../core/accounts/quota.ts";
import { ProxyError } from "../../core/errors.ts";
import { isStorable, storable } from "../driver/text.ts";

export interface StoredToken {
  readonly id: string;
  readonly name: string;
  readonly comment: string;
  readonly hint: string;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  readonly models: string | null;
  readonly limits: string;
  readonly quotas: string;
  readonly upstream_key: string | null;
}

export const tokenColumns = [
  "id",
  "name",
  "comment",
  "hint",
  "created_at",
  "expires_at",
  "revoked_at",
  "models",
  "limits",
  "quotas",
  "upstream_key",
] as const;

const maxModels = 200;
const maxCommentCharacters = 1_000;

/** The columns an operator chooses, checked. */
export function chosenColumns(token: NewToken) {
  if (token.name === "") throw outOfRange("name");
  if (token.expiresAt != null && !isCount(token.expiresAt)) throw outOfRange("expiresAt");
  return {
    name: storable("name", token.name),
    comment: storable("comment", token.comment ?? "", maxCommentCharacters),
    expires_at: token.expiresAt ?? null,
    models: modelsText(token.models ?? null),
    limits: JSON.stringify(checkedLimits(token.limits ?? {})),
    quotas: quotasText(token.quotas ?? noQuotas),
  };
}

export function tokenOf(row: StoredToken): Token {
  return {
    id: row.id,
    name: row.name,
    comment: row.comment,
    hint: row.hint,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    // Both were written by chosenColumns.
    models: row.models === null ? null : (JSON.parse(row.models) as string[]),
    limits: JSON.parse(row.limits) as Token["limits"],
    quotas: quotasOf(row.quotas),
    hasUpstreamKey: row.upstream_key !== null,
  };
}

function modelsText(models: readonly string[] | null): string | null {
  if (models === null) return null;
  if (models.length > maxModels) throw outOfRange("models");
  return JSON.stringify(models.map((model) => storable("models", model)));
}

function checkedLimits(limits: Token["limits"]): Token["limits"] {
  if (!Object.values(limits).every(isCount)) throw outOfRange("limits");
  return limits;
}

interface StoredLimits {
  readonly requests: number | null;
  readonly tokens: number | null;
  readonly money: string | null;
}

function quotasText({ day, month }: Quotas): string {
  return JSON.stringify({ day: limitsForText(day), month: limitsForText(month) });
}

function limitsForText({ requests, tokens, money }: QuotaLimits): StoredLimits {
  for (const count of [requests, tokens]) {
    if (count !== null && !isCount(count)) throw outOfRange("quotas");
  }
  const text = money === null ? null : formatMoney(money);
  if (text !== null && parseMoney(text) === null) throw outOfRange("quotas");
  return { requests, tokens, money: text };
}

function quotasOf(text: string): Quotas {
  // Written by quotasText.
  const { day, month } = JSON.parse(text) as Record<"day" | "month", StoredLimits>;
  return { day: limitsOf(day), month: limitsOf(month) };
}

function limitsOf({ requests, tokens, money }: StoredLimits): QuotaLimits {
  return { requests, tokens, money: money === null ? null : parseMoney(money) };
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function outOfRange(field: string): ProxyError {
  return new ProxyError("field_range", { params: { field } });
}

/** An upstream key goes into a header: printable ASCII only. */
export function checkedKey(key: string): string {
  if (isStorable(key) && /^[\x21-\x7e]{1,500}$/.test(key)) return key;
  throw outOfRange("upstreamKey");
}
