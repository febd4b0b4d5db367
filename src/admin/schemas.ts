import { z } from "zod";
import type { NewToken } from "../core/accounts/accounts.ts";
import type { Price } from "../core/accounts/price.ts";
import {
  choice,
  count,
  flag,
  futureMoment,
  headerText,
  moment,
  money,
  names,
  plainText,
  price,
} from "./fields.ts";

/** Above any plan; keeps sums of it inside a number. */
const MAX_PER_PERIOD = 1_000_000_000_000;
/** The same as for the limits of the settings. */
const MAX_PER_WINDOW = 1_000_000_000;
/** The columns' own bounds. */
const MAX_NAME_CHARACTERS = 200;
const MAX_COMMENT_CHARACTERS = 1_000;
const MAX_MODELS = 200;
const MAX_KEY_CHARACTERS = 500;
const MAX_LISTED = 1_000;
/** A longer list is no price list. */
const MAX_PRICES = 5_000;

/**
 * What a token may be made of, on the command line and over HTTP alike. A name that is not here is
 * refused: a quota with a slip in its name would be a token without quota.
 */
export function newTokenFields(nowMs: number) {
  return z.strictObject({
    name: plainText(MAX_NAME_CHARACTERS),
    comment: plainText(MAX_COMMENT_CHARACTERS).nullish(),
    expires: futureMoment(nowMs).nullish(),
    models: names(MAX_MODELS, MAX_NAME_CHARACTERS).nullish(),
    requests_per_day: count(MAX_PER_PERIOD).nullish(),
    requests_per_month: count(MAX_PER_PERIOD).nullish(),
    tokens_per_day: count(MAX_PER_PERIOD).nullish(),
    tokens_per_month: count(MAX_PER_PERIOD).nullish(),
    money_per_day: money().nullish(),
    money_per_month: money().nullish(),
    second_limit: count(MAX_PER_WINDOW).nullish(),
    minute_limit: count(MAX_PER_WINDOW).nullish(),
    hour_limit: count(MAX_PER_WINDOW).nullish(),
    day_limit: count(MAX_PER_WINDOW).nullish(),
    upstream_key: headerText(MAX_KEY_CHARACTERS).nullish(),
  });
}

export function newTokenOf(fields: z.output<ReturnType<typeof newTokenFields>>): NewToken {
  const windows = {
    second: fields.second_limit,
    minute: fields.minute_limit,
    hour: fields.hour_limit,
    day: fields.day_limit,
  };
  const limits = Object.entries(windows).filter(([, limit]) => limit != null);
  return {
    name: fields.name,
    comment: fields.comment ?? "",
    expiresAt: fields.expires ?? null,
    models: fields.models ?? null,
    limits: Object.fromEntries(limits),
    quotas: {
      day: {
        requests: fields.requests_per_day ?? null,
        tokens: fields.tokens_per_day ?? null,
        money: fields.money_per_day ?? null,
      },
      month: {
        requests: fields.requests_per_month ?? null,
        tokens: fields.tokens_per_month ?? null,
        money: fields.money_per_month ?? null,
      },
    },
    upstreamKey: fields.upstream_key ?? null,
  };
}

export const tokenListFields = z.strictObject({
  limit: count(MAX_LISTED).nullish(),
  after: plainText(MAX_NAME_CHARACTERS).nullish(),
});

export function newPriceFields(nowMs: number) {
  return z.strictObject({
    model: plainText(MAX_NAME_CHARACTERS),
    input: price(),
    output: price(),
    cached_input: price().nullish(),
    since: moment(nowMs, "forward").nullish(),
  });
}

export const priceListFields = z.strictObject({
  model: plainText(MAX_NAME_CHARACTERS).nullish(),
  history: flag().nullish(),
});

/** Fields we don't know are notes. */
function importedPrice(nowMs: number) {
  return z.looseObject({
    model: plainText(MAX_NAME_CHARACTERS),
    input: price(),
    output: price(),
    cached_input: price().nullish(),
    cachedInput: price().nullish(),
    since: moment(nowMs, "back").nullish(),
  });
}

export function importedPriceList(nowMs: number) {
  return z.array(importedPrice(nowMs)).max(MAX_PRICES);
}

/** A list of prices, bare or with the day they are from. */
export function importedFields(nowMs: number) {
  const list = z.looseObject({
    published: moment(nowMs, "back").nullish(),
    prices: importedPriceList(nowMs),
  });
  return z.preprocess((given) => (Array.isArray(given) ? { prices: given } : given), list);
}

export function importedPrices(
  { prices, published }: z.output<ReturnType<typeof importedFields>>,
  nowMs: number,
): readonly Price[] {
  const all = prices.map((one) => ({
    model: one.model,
    input: one.input,
    cachedInput: one.cached_input ?? one.cachedInput ?? null,
    output: one.output,
    since: one.since ?? published ?? nowMs,
  }));
  // A history comes newest first, and an older price is not put behind a newer one.
  return all.toSorted((a, b) => a.since - b.since);
}

const groupings = ["day", "model", "token"] as const;
const exportFormats = ["csv", "jsonl"] as const;

const span = (nowMs: number) => ({
  from: moment(nowMs, "back").nullish(),
  to: moment(nowMs, "back").nullish(),
  token: plainText(MAX_NAME_CHARACTERS).nullish(),
});

export function usageFields(nowMs: number) {
  return z.strictObject({ by: choice(groupings).nullish(), ...span(nowMs) });
}

export function exportFields(nowMs: number) {
  return z.strictObject({ format: choice(exportFormats).nullish(), ...span(nowMs) });
}
