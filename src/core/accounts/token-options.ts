import type { WindowName } from "../ports.ts";
import type { NewToken, Token } from "./accounts.ts";
import { noQuotas, type QuotaChanges, quotasAfter } from "./quota.ts";

type Limits = NonNullable<NewToken["limits"]>;

/** The secret is shown this once. */
export interface NewSecret {
  readonly token: Token;
  readonly secret: string;
}

/** Options of a token that change: what is left out stays, and null takes a bound away. */
export interface TokenChanges
  extends Partial<Omit<NewToken, "comment" | "limits" | "quotas">>,
    Readonly<{
      comment?: string | null;
      limits?: Readonly<Partial<Record<WindowName, number | null | undefined>>>;
      quotas?: QuotaChanges;
    }> {}

/** What an operator chose for a token, without its upstream key and its group. */
export type TokenOptions = Pick<NewToken, "name"> &
  Partial<
    Pick<
      Token,
      "comment" | "expiresAt" | "models" | "limits" | "quotas" | "tokensPerMinute" | "concurrency"
    >
  >;

/** The options after the changes. */
export function withChanges(before: TokenOptions, changes: TokenChanges): TokenOptions {
  const {
    comment = before.comment,
    expiresAt = before.expiresAt,
    models = before.models,
    tokensPerMinute = before.tokensPerMinute,
    concurrency = before.concurrency,
  } = changes;
  return {
    name: changes.name ?? before.name,
    comment: comment ?? "",
    expiresAt: expiresAt ?? null,
    models: models ?? null,
    tokensPerMinute: tokensPerMinute ?? null,
    concurrency: concurrency ?? null,
    limits: limitsAfter(before.limits ?? {}, changes.limits ?? {}),
    quotas: quotasAfter(before.quotas ?? noQuotas, changes.quotas ?? {}),
  };
}

function limitsAfter(before: Limits, changes: NonNullable<TokenChanges["limits"]>): Limits {
  const given = Object.entries(changes).filter(([, limit]) => limit !== undefined);
  const after = Object.entries({ ...before, ...Object.fromEntries(given) });
  return Object.fromEntries(after.filter(([, limit]) => limit !== null));
}
