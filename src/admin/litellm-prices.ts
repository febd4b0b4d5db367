import type { NewPrice } from "../core/accounts/accounts.ts";
import { formatPrice, pricePerToken } from "../core/accounts/money.ts";
import { type ExtraName, eachExtra, type UnitName } from "../core/accounts/price-fields.ts";
import { fieldError } from "../core/common-errors.ts";
import { ProxyError } from "../core/errors.ts";
import { UNIT_FIELDS, unitPricesIn } from "./litellm-units.ts";

/** A list of LiteLLM's as Parley reads it. */
export interface LitellmPrices {
  readonly prices: readonly NewPrice[];
  /** Models that stay without a price: theirs is none, unknown, or not one that Parley can hold. */
  readonly unpriced: readonly string[];
  /** Prices of another kind than Parley's, the most frequent first. */
  readonly left_out: readonly { readonly field: string; readonly models: number }[];
}

/** Describes the form of the list; it is no model. */
const SAMPLE = "sample_spec";
const MAX_MODELS = 10_000;
const MAX_NAME_CHARACTERS = 200;
const MAX_LEFT_OUT = 100;

const INPUT = "input_cost_per_token";
const OUTPUT = "output_cost_per_token";
/** Their names for what Parley keeps beside these two. */
const FIELDS = {
  cachedInput: "cache_read_input_token_cost",
  cacheWrite: "cache_creation_input_token_cost",
  cacheWriteHour: "cache_creation_input_token_cost_above_1hr",
  audioInput: "input_cost_per_audio_token",
  audioOutput: "output_cost_per_audio_token",
  reasoning: "output_cost_per_reasoning_token",
  flexInput: "input_cost_per_token_flex",
  flexCachedInput: "cache_read_input_token_cost_flex",
  flexOutput: "output_cost_per_token_flex",
  priorityInput: "input_cost_per_token_priority",
  priorityCachedInput: "cache_read_input_token_cost_priority",
  priorityOutput: "output_cost_per_token_priority",
} as const satisfies Record<Exclude<ExtraName, UnitName> | "cachedInput", string>;
/** What a price of any kind is called there. */
const PRICE_NAME = /cost|pric|uplift|multiplier/;

type Entry = Readonly<Record<string, unknown>>;

/**
 * Reads the form of LiteLLM's model_prices_and_context_window.json: models by name, in dollars per
 * token. `provider` leaves the models of all others out.
 */
export function litellmPrices(given: unknown, provider: string | null): LitellmPrices {
  const prices: NewPrice[] = [];
  const unpriced: string[] = [];
  const leftOut = new Map<string, number>();
  for (const [model, entry] of modelsIn(given)) {
    if (provider !== null && entry.litellm_provider !== provider) continue;
    const price = priceOf(model, entry);
    if (price === null) {
      unpriced.push(model);
      continue;
    }
    prices.push(price);
    for (const field of otherPrices(entry, price)) {
      leftOut.set(field, (leftOut.get(field) ?? 0) + 1);
    }
  }
  const kinds = Array.from(leftOut, ([field, models]) => ({ field, models }));
  const left_out = kinds.toSorted((a, b) => b.models - a.models).slice(0, MAX_LEFT_OUT);
  return { prices, unpriced, left_out };
}

function modelsIn(given: unknown): readonly (readonly [model: string, entry: Entry])[] {
  if (!isEntry(given)) throw new ProxyError("body_not_object");
  const models = Object.entries(given).filter(([model]) => model !== SAMPLE);
  if (models.length > MAX_MODELS) throw fieldError("field_too_many", "models", { max: MAX_MODELS });
  return models.map(([model, entry]) => [checkedName(model), checkedEntry(model, entry)]);
}

function checkedName(model: string): string {
  const shown = model.slice(0, MAX_NAME_CHARACTERS);
  if (model.trim() === "") throw fieldError("field_empty", "model");
  if (shown !== model) throw fieldError("field_too_long", shown, { max: MAX_NAME_CHARACTERS });
  if (!/\p{Cc}/u.test(model) && model.isWellFormed()) return model;
  throw fieldError("field_type", JSON.stringify(model), { expected: "plain_text" });
}

function checkedEntry(model: string, entry: unknown): Entry {
  if (isEntry(entry)) return entry;
  throw fieldError("field_type", model, { expected: "object" });
}

function isEntry(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Null unless both sides are known, or a price per unit: 0 stands for what is free, unknown or charged
 * otherwise.
 */
function priceOf(model: string, entry: Entry): NewPrice | null {
  const read = (field: string) => tokenPrice(entry[field], `${model}.${field}`);
  const units = unitPricesIn(entry, (field) => numberIn(entry[field], `${model}.${field}`));
  const known: Partial<Record<ExtraName, string>> = FIELDS;
  const extras = eachExtra((name) => {
    const field = known[name];
    return field === undefined ? (units?.[name as UnitName] ?? null) : read(field); // the others are units
  });
  // embeddings have no output, and units no tokens
  const absent = (isAbsent: boolean) => (isAbsent ? "0" : null);
  const input = read(INPUT) ?? absent(units !== null);
  const isFree = entry.mode === "embedding" && isNothing(entry[OUTPUT]);
  const output = read(OUTPUT) ?? absent(isFree || units !== null);
  const cachedInput = read(FIELDS.cachedInput);
  if (input === null || output === null) return null;
  return { model, input, cachedInput, output, ...extras, since: null };
}

/** In dollars per million tokens; null if there is none or Parley can't hold it exactly. */
function tokenPrice(given: unknown, field: string): string | null {
  const text = numberIn(given, field);
  const price = text === null ? null : pricePerToken(text);
  return price === null || price === 0n ? null : formatPrice(price);
}

function numberIn(given: unknown, field: string): string | null {
  if (given === undefined || given === null) return null;
  const isNumber = typeof given === "number" || (typeof given === "string" && given.trim() !== "");
  if (!isNumber || !(Number(given) >= 0 && Number(given) < Number.POSITIVE_INFINITY)) {
    throw fieldError("field_type", field, { expected: "token_price" });
  }
  return String(given).trim();
}

/** Neither an amount above 0 nor a price with parts. */
function isNothing(given: unknown): boolean {
  if (typeof given !== "object") return !(Number(given) > 0);
  return given === null || Object.keys(given).length === 0;
}

/** Prices in the entry that are not in the price. */
function otherPrices(entry: Entry, price: NewPrice): readonly string[] {
  const carried: string[] = [INPUT, OUTPUT];
  for (const [side, field] of [...Object.entries(FIELDS), ...UNIT_FIELDS]) {
    if (Reflect.get(price, side) !== null) carried.push(field);
  }
  return Object.keys(entry).filter(
    (field) => PRICE_NAME.test(field) && !isNothing(entry[field]) && !carried.includes(field),
  );
}
