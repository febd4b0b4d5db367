import { z } from "zod";
import type { NewPrice } from "../core/accounts/accounts.ts";
import type { Price } from "../core/accounts/price.ts";
import { eachExtra, extraFields, unitFields } from "../core/accounts/price-fields.ts";
import { moment, plainText, price, type WallClock } from "./fields.ts";

/** A longer list is not a price list. */
const MAX_PRICES = 5_000;

/** What operations on prices take. */
export function createPriceSchemas(clock: WallClock, maxNameCharacters: number) {
  const model = plainText(maxNameCharacters);
  const past = moment(clock, "back").nullish();
  const since = moment(clock, "forward").nullish();
  const sides = {
    input: price().nullish(),
    output: price().nullish(),
    cached_input: price().nullish(),
    ...extraPrices(),
  };
  // unknown fields are allowed here: price lists carry notes
  const importedPrice = z
    .looseObject({ model, ...sides, cachedInput: price().nullish(), since: past })
    .check(needsSides)
    .meta(NEEDED);
  const importedList = z.array(importedPrice).max(MAX_PRICES);
  return {
    newPrice: z
      .strictObject({ model, ...sides, since })
      .check(needsSides)
      .meta(NEEDED),
    /** The same where the path names the model. */
    modelPrice: z
      .strictObject({ model: model.optional(), ...sides, since })
      .check(needsSides)
      .meta(NEEDED),
    importedList,
    /** A list, alone or with the day it was published. */
    imported: z.preprocess(
      (given) => (Array.isArray(given) ? { prices: given } : given),
      z.looseObject({ published: past, prices: importedList }),
    ),
  };
}

type Schemas = ReturnType<typeof createPriceSchemas>;

/** The same as in `needsSides`, for /openapi.json. */
const NEEDED = {
  anyOf: [
    { required: ["input", "output"] },
    ...Object.values(unitFields).map((unit) => ({ required: [unit] })),
  ],
};

/** Both sides have a price, unless the model is charged by units. */
function needsSides({ value, issues }: z.core.ParsePayload<object>): void {
  const isMissing = (field: string) => (Reflect.get(value, field) ?? null) === null;
  if (!Object.values(unitFields).every(isMissing)) return;
  for (const side of ["input", "output"].filter(isMissing)) {
    issues.push({ code: "custom", path: [side], input: value, params: { key: "field_missing" } });
  }
}

function extraPrices() {
  const entries = Object.values(extraFields).map((field) => [field, price().nullish()] as const);
  type Field = (typeof entries)[number][0];
  return Object.fromEntries(entries) as Record<Field, (typeof entries)[number][1]>; // of all fields
}

type PriceFields = Omit<z.output<Schemas["newPrice"]>, "since">;

export function priceOf(fields: PriceFields): Omit<Price, "since"> {
  const { model, input, output, cached_input } = fields;
  const extras = eachExtra((name) => fields[extraFields[name]] ?? null);
  const cachedInput = cached_input ?? null;
  return { model, input: input ?? "0", cachedInput, output: output ?? "0", ...extras };
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
