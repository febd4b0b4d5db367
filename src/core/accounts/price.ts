import type { Usage } from "../call/messages.ts";
import {
  formatPrice,
  type Picodollars,
  parsePrice,
  priceTimesTokens,
  type UnitPrice,
} from "./money.ts";

/** What one model costs from `since` on. Texts are US dollars per million tokens. */
export interface Price {
  readonly model: string;
  readonly input: string;
  /** Null: the upstream gives no discount, cached tokens cost what input costs. */
  readonly cachedInput: string | null;
  readonly output: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** A shipped list, which the operator checks before it is imported. */
export interface PriceList {
  /** The day the prices are from, "2025-08-07". */
  readonly published: string;
  readonly source: string;
  readonly note: string;
  readonly prices: readonly Omit<Price, "since">[];
}

/** More than any model's context by far; a larger one is a false count. */
export const MAX_COUNTED_TOKENS = 100_000_000;

/** Exact cost of an answer, or null when the usage or the price is unknown or implausible. */
export function cost(usage: Usage | null, price: Price | null): Picodollars | null {
  if (usage === null || price === null || !isPlausible(usage)) return null;
  const sides = sidesOf(price);
  if (sides === null) return null;
  const { input, cached, output } = sides;
  // Cached tokens are a part of the prompt tokens, never more.
  const cachedTokens = Math.min(usage.cachedTokens ?? 0, usage.promptTokens);
  return (
    priceTimesTokens(input, usage.promptTokens - cachedTokens) +
    priceTimesTokens(cached, cachedTokens) +
    priceTimesTokens(output, usage.completionTokens)
  );
}

/** Every token at the dearer of the two sides; nothing where the price is none. */
export function maxCost(price: Price, tokens: number): Picodollars {
  const { input, output } = sidesOf(price) ?? { input: 0n, output: 0n };
  return priceTimesTokens(input > output ? input : output, tokens);
}

interface Sides {
  readonly input: UnitPrice;
  readonly cached: UnitPrice;
  readonly output: UnitPrice;
}

/** Texts are read once for each price of the book, not for each call: 4 µs. */
const readSides = new WeakMap<Price, Sides | null>();

function sidesOf(price: Price): Sides | null {
  let sides = readSides.get(price);
  if (sides === undefined) {
    const input = parsePrice(price.input);
    const cached = price.cachedInput === null ? input : parsePrice(price.cachedInput);
    const output = parsePrice(price.output);
    const complete = input !== null && cached !== null && output !== null;
    sides = complete ? { input, cached, output } : null;
    readSides.set(price, sides);
  }
  return sides;
}

/** Whether every count is a whole number that a model could have produced. */
export function isPlausible(usage: Usage): boolean {
  const counts: number[] = [usage.promptTokens, usage.completionTokens, usage.totalTokens];
  if (usage.cachedTokens !== null) counts.push(usage.cachedTokens);
  return counts.every(
    (count) => Number.isInteger(count) && count >= 0 && count <= MAX_COUNTED_TOKENS,
  );
}

/**
 * The names a price is looked up by, best first: the exact name, then without the date of a
 * snapshot (`gpt-4o-2024-08-06`, `gpt-3.5-turbo-0125`). Fine-tuned models have prices of their own.
 */
export function priceNames(model: string): readonly string[] {
  if (model.startsWith("ft:")) return [model];
  const family = model.replace(/-(?:\d{4}-\d{2}-\d{2}|\d{4})$/, "");
  return family === model || family === "" ? [model] : [model, family];
}

/** The list's prices, from the day it was published on. */
export function listedPrices(list: PriceList): readonly Price[] {
  const since = Date.parse(list.published);
  return list.prices.map((price) => ({ ...price, since }));
}

/** The price as a ledger row keeps it: "input,cached input,output". */
export function priceText(price: Price): string {
  return `${price.input},${price.cachedInput ?? ""},${price.output}`;
}

/** The same price in its shortest spelling, or null when a side is not a price. */
export function canonicalPrice(price: Price): Price | null {
  const input = parsePrice(price.input);
  const cached = price.cachedInput === null ? null : parsePrice(price.cachedInput);
  const output = parsePrice(price.output);
  if (input === null || output === null) return null;
  if (price.cachedInput !== null && cached === null) return null;
  if (price.model === "" || !Number.isSafeInteger(price.since) || price.since < 0) return null;
  return {
    model: price.model,
    input: formatPrice(input),
    cachedInput: cached === null ? null : formatPrice(cached),
    output: formatPrice(output),
    since: price.since,
  };
}
