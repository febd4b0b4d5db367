import type { NewToken, Token } from "../../core/accounts/accounts.ts";
import { formatMoney, parseMoney } from "../../core/accounts/money.ts";
import { noQuotas, type Quotas } from "../../core/accounts/quota.ts";
import { isApiKey } from "../../core/api-key.ts";
import { ProxyError } from "../../core/errors.ts";
import { isStorable, requireStorable } from "../driver/driver.ts";
import type { Builder } from "../driver/queries.ts";
import type { TokenTable } from "../driver/schema.ts";

const tokenColumns = [
  "id",
  "name",
  "comment",
  "hint",
  "created_at",
  "expires_at",
  "revoked_at",
  "disabled_at",
  "grace_until",
  "models",
  "limits",
  "quotas",
  "tokens_per_minute",
  "concurrency",
  "group_id",
  "upstream_key",
] as const satisfies readonly (keyof TokenTable)[];

/** A token with what its calls need of its group. */
export interface StoredToken
  extends Readonly<Pick<TokenTable, (typeof tokenColumns)[number]>>,
    GroupColumns {}

export interface GroupColumns {
  readonly group_name: string | null;
  readonly group_quotas: string | null;
}

export function selectTokens(builder: Builder) {
  return builder
    .selectFrom("tokens")
    .leftJoin("token_groups", "token_groups.id", "tokens.group_id")
    .select(tokenColumns.map((column) => `tokens.${column}` as const))
    .select(["token_groups.name as group_name", "token_groups.quotas as group_quotas"]);
}

const MAX_MODELS = 200;
export const MAX_COMMENT_CHARACTERS = 1_000;

/** The columns an operator chooses, checked. */
export function chosenColumns(token: NewToken) {
  if (token.name === "") throw outOfRange("name");
  if (token.expiresAt != null && !isCount(token.expiresAt)) throw outOfRange("expiresAt");
  return {
    name: requireStorable("name", token.name),
    comment: requireStorable("comment", token.comment ?? "", MAX_COMMENT_CHARACTERS),
    expires_at: token.expiresAt ?? null,
    models: modelsText(token.models ?? null),
    limits: JSON.stringify(checkedLimits(token.limits ?? {})),
    quotas: quotasText(token.quotas ?? noQuotas),
    tokens_per_minute: countOrNull("tokensPerMinute", token.tokensPerMinute),
    concurrency: countOrNull("concurrency", token.concurrency),
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
    disabledAt: row.disabled_at,
    graceUntil: row.grace_until,
    // Casts: written only by chosenColumns.
    models: row.models === null ? null : (JSON.parse(row.models) as string[]),
    limits: JSON.parse(row.limits) as Token["limits"],
    quotas: quotasOf(row.quotas),
    tokensPerMinute: row.tokens_per_minute,
    concurrency: row.concurrency,
    group: groupOf(row),
    hasUpstreamKey: row.upstream_key !== null,
  };
}

function groupOf({ group_id: id, group_name: name, group_quotas: quotas }: StoredToken) {
  if (id === null || name === null || quotas === null) return null;
  return { id, name, quotas: quotasOf(quotas) };
}

function modelsText(models: readonly string[] | null): string | null {
  if (models === null) return null;
  if (models.length > MAX_MODELS) throw outOfRange("models");
  return JSON.stringify(models.map((model) => requireStorable("models", model)));
}

function checkedLimits(limits: Token["limits"]): Token["limits"] {
  if (!Object.values(limits).every(isCount)) throw outOfRange("limits");
  return limits;
}

/** Money becomes text, since JSON numbers have 53 bits. */
export function quotasText(quotas: Quotas): string {
  return JSON.stringify(quotas, (_, limit: unknown) => {
    if (typeof limit === "number" && !isCount(limit)) throw outOfRange("quotas");
    if (typeof limit !== "bigint") return limit;
    const text = formatMoney(limit);
    if (parseMoney(text) === null) throw outOfRange("quotas");
    return text;
  });
}

export function quotasOf(text: string): Quotas {
  // Cast: written only by quotasText.
  return JSON.parse(text, (_, limit) =>
    typeof limit === "string" ? parseMoney(limit) : limit,
  ) as Quotas;
}

function countOrNull(field: string, value: number | null | undefined): number | null {
  if (value == null) return null;
  if (!isCount(value) || value === 0) throw outOfRange(field);
  return value;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function outOfRange(field: string): ProxyError {
  return new ProxyError("field_range", { params: { field } });
}

/** An upstream key goes into a header: printable ASCII only. */
export function checkedKey(key: string): string {
  if (isStorable(key) && isApiKey(key)) return key;
  throw outOfRange("upstreamKey");
}
