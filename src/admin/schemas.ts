import { z } from "zod";
import type { NewPrice } from "../core/accounts/accounts.ts";
import type { Price } from "../core/accounts/price.ts";
import { eachExtra, extraFields } from "../core/accounts/price-fields.ts";
import type { TokenChanges } from "../core/accounts/token-options.ts";
import { MAX_KEY_CHARACTERS } from "../core/api-key.ts";
import {
  choiceOf,
  count,
  flag,
  headerValue,
  moment,
  money,
  names,
  plainText,
  price,
  span as spanOfTime,
  type WallClock,
} from "./fields.ts";

/** Above any plan, and small enough for exact sums in a number. */
const MAX_PER_PERIOD = 1_000_000_000_000;
/** As for the limits in the settings. */
const MAX_PER_WINDOW = 1_000_000_000;
/** As the database columns hold. */
export const MAX_NAME_CHARACTERS = 200;
const MAX_COMMENT_CHARACTERS = 1_000;
const MAX_MODELS = 200;
const MAX_LISTED = 1_000;
/** In one transaction. */
const MAX_CREATED = 1_000;
/** A longer list is not a price list. */
const MAX_PRICES = 5_000;

/**
 * What each operation takes, on the command line and over HTTP. Unknown names are refused: a quota
 * with a typo in its name would make a token without that quota.
 */
export function createSchemas(clock: WallClock) {
  const name = plainText(MAX_NAME_CHARACTERS);
  const past = moment(clock, "back").nullish();
  const span = { from: past, to: past, token: name.nullish() };
  const prices = {
    model: name,
    input: price(),
    output: price(),
    cached_input: price().nullish(),
    ...extraPrices(),
  };
  // unknown fields are allowed here: price lists carry notes
  const importedPrice = z.looseObject({ ...prices, cachedInput: price().nullish(), since: past });
  const importedList = z.array(importedPrice).max(MAX_PRICES);
  const datedList = z.looseObject({ published: past, prices: importedList });
  const options = {
    comment: plainText(MAX_COMMENT_CHARACTERS).nullish(),
    expires: moment(clock, "future").nullish(),
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
    upstream_key: headerValue(MAX_KEY_CHARACTERS).nullish(),
  };
  return {
    newToken: z.strictObject({
      name,
      ...options,
      count: count(MAX_CREATED).nullish(),
      like: name.nullish(),
    }),
    tokenChanges: z.strictObject({ name: name.optional(), ...options }),
    rotation: z.strictObject({ grace: spanOfTime().nullish() }),
    tokenList: z.strictObject({ limit: count(MAX_LISTED).nullish(), after: name.nullish() }),
    newPrice: z.strictObject({ ...prices, since: moment(clock, "forward").nullish() }),
    priceList: z.strictObject({ model: name.nullish(), history: flag().nullish() }),
    importedList,
    importForm: z.strictObject({
      format: choiceOf(["parley", "litellm"]).nullish(),
      provider: name.nullish(),
    }),
    /** A list, alone or with the day it was published. */
    imported: z.preprocess(
      (given) => (Array.isArray(given) ? { prices: given } : given),
      datedList,
    ),
    usage: z.strictObject({ by: choiceOf(["day", "model", "token"]).nullish(), ...span }),
    export: z.strictObject({ format: choiceOf(["csv", "jsonl"]).nullish(), ...span }),
  };
}

function extraPrices() {
  const entries = Object.values(extraFields).map((field) => [field, price().nullish()] as const);
  type Field = (typeof entries)[number][0];
  return Object.fromEntries(entries) as Record<Field, (typeof entries)[number][1]>; // of all fields
}

export type Schemas = ReturnType<typeof createSchemas>;

/** What is left out stays; null takes a bound away. */
export function changesOf(fields: z.output<Schemas["tokenChanges"]>): TokenChanges {
  const { name, comment, expires, models, upstream_key } = fields;
  const given = { name, comment, expiresAt: expires, models, upstreamKey: upstream_key };
  return {
    ...defined(given),
    limits: {
      second: fields.second_limit,
      minute: fields.minute_limit,
      hour: fields.hour_limit,
      day: fields.day_limit,
    },
    quotas: {
      day: {
        requests: fields.requests_per_day,
        tokens: fields.tokens_per_day,
        money: fields.money_per_day,
      },
      month: {
        requests: fields.requests_per_month,
        tokens: fields.tokens_per_month,
        money: fields.money_per_month,
      },
    },
  };
}

type PriceFields = Omit<z.output<Schemas["newPrice"]>, "since">;

export function priceOf(fields: PriceFields): Omit<Price, "since"> {
  const { model, input, output, cached_input } = fields;
  const extras = eachExtra((name) => fields[extraFields[name]] ?? null);
  return { model, input, cachedInput: cached_input ?? null, output, ...extras };
}

export function importedPrices(
  { prices, published }: z.output<Schemas["imported"]>,
  nowMs: number,
): readonly NewPrice[] {
  const all = prices.map((one) => ({
    ...priceOf(one),
    cachedInput: one.cached_input ?? one.cachedInput ?? null,
    since: one.since ?? published ?? null,
  }));
  // a history comes newest first, but the price book takes no price older than its newest
  return all.toSorted((a, b) => (a.since ?? nowMs) - (b.since ?? nowMs));
}

/** Without what is null or undefined, for options that are left out when they are not given. */
export function present<T extends object>(given: T) {
  const entries = Object.entries(given).filter(([, value]) => value != null);
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}

/** Without what is undefined. */
function defined<T extends object>(given: T) {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
