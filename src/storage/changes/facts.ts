import type { Token } from "../../core/accounts/accounts.ts";
import { formatMoney } from "../../core/accounts/money.ts";
import type { Price } from "../../core/accounts/price.ts";
import { extraFields, extraNames } from "../../core/accounts/price-fields.ts";
import type { Quotas } from "../../core/accounts/quota.ts";
import type { ShownUpstream } from "../../core/routing/routing.ts";
import type { Facts } from "./record.ts";

/** These have the fields of the operator's API under its names. */
export function tokenFacts(token: Token): Facts {
  const { limits } = token;
  return {
    name: token.name,
    comment: token.comment,
    expires_at: timeOf(token.expiresAt),
    disabled_at: timeOf(token.disabledAt),
    grace_until: timeOf(token.graceUntil),
    models: token.models,
    ...quotaFacts(token.quotas),
    second_limit: limits.second ?? null,
    minute_limit: limits.minute ?? null,
    hour_limit: limits.hour ?? null,
    day_limit: limits.day ?? null,
    tokens_per_minute: token.tokensPerMinute,
    concurrency: token.concurrency,
    group: token.group?.name ?? null,
    own_upstream_key: token.hasUpstreamKey,
  };
}

export function quotaFacts({ day, month }: Quotas): Facts {
  const moneyOf = (amount: bigint | null) => (amount === null ? null : formatMoney(amount));
  return {
    requests_per_day: day.requests,
    requests_per_month: month.requests,
    tokens_per_day: day.tokens,
    tokens_per_month: month.tokens,
    money_per_day: moneyOf(day.money),
    money_per_month: moneyOf(month.money),
  };
}

export function priceFacts(price: Price): Facts {
  const extras = extraNames.map((name) => [extraFields[name], price[name] ?? null] as const);
  return {
    input: price.input,
    cached_input: price.cachedInput,
    output: price.output,
    ...Object.fromEntries(extras),
    since: timeOf(price.since),
  };
}

export function upstreamFacts(upstream: ShownUpstream): Facts {
  return {
    kind: upstream.kind,
    url: upstream.url,
    models: upstream.models,
    concurrency: upstream.concurrency,
    answer_seconds: upstream.answerSeconds,
    first_token_seconds: upstream.firstTokenSeconds,
    keys: upstream.keyCount,
    headers: upstream.headerNames,
    proxy: upstream.proxy,
  };
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
