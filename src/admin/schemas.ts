import { z } from "zod";
import type { QuotaChanges } from "../core/accounts/quota.ts";
import type { TokenChanges } from "../core/accounts/token-options.ts";
import { MAX_KEY_CHARACTERS } from "../core/api-key.ts";
import { callFilter } from "./call-list.ts";
import {
  choiceOf,
  count,
  flag,
  headerValue,
  moment,
  money,
  names,
  plainText,
  span as spanOfTime,
  type WallClock,
} from "./fields.ts";
import { createPriceSchemas } from "./price-schemas.ts";
import { tokenListSchema } from "./token-list.ts";

/** Above any plan, and small enough for exact sums in a number. */
const MAX_PER_PERIOD = 1_000_000_000_000;
/** As for the limits in the settings. */
const MAX_PER_WINDOW = 1_000_000_000;
/** More calls than one server has open. */
const MAX_OPEN = 1_000_000;
/** As the database columns hold. */
export const MAX_NAME_CHARACTERS = 200;
const MAX_COMMENT_CHARACTERS = 1_000;
const MAX_MODELS = 200;
const MAX_LISTED = 1_000;
/** In one transaction. */
const MAX_CREATED = 1_000;

/**
 * What each operation takes, on the command line and over HTTP. Unknown names are refused: a quota
 * with a typo in its name would make a token without that quota.
 */
export function createSchemas(clock: WallClock) {
  const name = plainText(MAX_NAME_CHARACTERS);
  const past = moment(clock, "back").nullish();
  const span = { from: past, to: past, token: name.nullish() };
  const options = tokenOptions(clock);
  const purse = purseOptions();
  return {
    newToken: z.strictObject({
      name,
      ...options,
      count: count(MAX_CREATED).nullish(),
      like: name.nullish(),
    }),
    tokenChanges: z.strictObject({ name: name.optional(), ...options }),
    newGroup: z.strictObject({ name, ...purse }),
    groupChanges: z.strictObject(purse),
    rotation: z.strictObject({ grace: spanOfTime().nullish() }),
    groupList: z.strictObject({ limit: count(MAX_LISTED).nullish(), after: name.nullish() }),
    tokenList: tokenListSchema,
    ...createPriceSchemas(clock, MAX_NAME_CHARACTERS),
    priceList: z.strictObject({ model: name.nullish(), history: flag().nullish() }),
    importForm: z.strictObject({
      format: choiceOf(["parley", "litellm"]).nullish(),
      provider: name.nullish(),
    }),
    usage: z.strictObject({ by: choiceOf(["day", "model", "token"]).nullish(), ...span }),
    export: z.strictObject({
      format: choiceOf(["csv", "jsonl"]).nullish(),
      ...callFilter(clock),
    }),
  };
}

/** What tokens and groups have. */
function purseOptions() {
  return {
    comment: plainText(MAX_COMMENT_CHARACTERS).nullish(),
    requests_per_day: count(MAX_PER_PERIOD).nullish(),
    requests_per_month: count(MAX_PER_PERIOD).nullish(),
    tokens_per_day: count(MAX_PER_PERIOD).nullish(),
    tokens_per_month: count(MAX_PER_PERIOD).nullish(),
    money_per_day: money().nullish(),
    money_per_month: money().nullish(),
  };
}

function tokenOptions(clock: WallClock) {
  const { comment, ...quotas } = purseOptions();
  return {
    comment,
    expires: moment(clock, "future").nullish(),
    models: names(MAX_MODELS, MAX_NAME_CHARACTERS).nullish(),
    ...quotas,
    second_limit: count(MAX_PER_WINDOW).nullish(),
    minute_limit: count(MAX_PER_WINDOW).nullish(),
    hour_limit: count(MAX_PER_WINDOW).nullish(),
    day_limit: count(MAX_PER_WINDOW).nullish(),
    tokens_per_minute: count(MAX_PER_WINDOW).nullish(),
    concurrency: count(MAX_OPEN).nullish(),
    group: plainText(MAX_NAME_CHARACTERS).nullish(),
    upstream_key: headerValue(MAX_KEY_CHARACTERS).nullish(),
  };
}

export type Schemas = ReturnType<typeof createSchemas>;

/** What is left out stays; null takes a bound away. */
export function changesOf(fields: z.output<Schemas["tokenChanges"]>): TokenChanges {
  const { name, comment, models, concurrency, group } = fields;
  const given = {
    ...{ name, comment, models, concurrency, group },
    expiresAt: fields.expires,
    tokensPerMinute: fields.tokens_per_minute,
    upstreamKey: fields.upstream_key,
  };
  return {
    ...withoutUndefined(given),
    limits: {
      second: fields.second_limit,
      minute: fields.minute_limit,
      hour: fields.hour_limit,
      day: fields.day_limit,
    },
    quotas: quotaChangesOf(fields),
  };
}

/** The same for the quotas of a token or a group. */
export function quotaChangesOf(fields: z.output<Schemas["groupChanges"]>): QuotaChanges {
  return {
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
  };
}

/** Without what is undefined. */
export function withoutUndefined<T extends object>(given: T) {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
