import type { Usage } from "../call/messages.ts";
import { formatPrice, type Picodollars, parsePrice, priceTimesTokens } from "./money.ts";
import { type ExtraName, eachExtra, partFields, unitFields } from "./price-fields.ts";
import { chargedParts, costOfSides } from "./price-parts.ts";
import { readPrice, type Sides } from "./price-sides.ts";
import { costOfUnits, type Units } from "./units.ts";

/**
 * What one model costs from `since` on. Texts are US dollars per million tokens, or per unit. A part
 * without a price of its own costs what its side costs, and a tier what the ordinary one does. With a
 * price per unit, an input and output of 0 mean that tokens have no price.
 */
export interface Price extends Readonly<Partial<Record<ExtraName, string | null>>> {
  readonly model: string;
  readonly input: string;
  /** Null: the upstream gives no discount, cached tokens cost what input costs. */
  readonly cachedInput: string | null;
  readonly output: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** More than any model's context by far; a larger one is a false count. */
export const MAX_COUNTED_TOKENS = 100_000_000;

/**
 * Exact cost of an answer, or null when the usage or the price is unknown or implausible. Units that
 * have a price are added.
 */
export function cost(usage: Usage | null, price: Price | null, units?: Units): Picodollars | null {
  if (price === null) return null;
  const ofUnits = units === undefined ? null : unitCost(price, units);
  if (usage === null || !isPlausible(usage)) return ofUnits;
  const sides = sidesFor(usage, price);
  return sides === null ? ofUnits : costOfSides(usage, sides) + (ofUnits ?? 0n);
}

/** Null if the price has none for this unit. */
export function unitCost(price: Price, units: Units): Picodollars | null {
  const unitPrice = sidesOf(price)?.units?.[units.price];
  return unitPrice === undefined ? null : costOfUnits(units, unitPrice);
}

/** Whether tokens have a price. */
export function pricesTokens(price: Price): boolean {
  const sides = sidesOf(price);
  return sides === null || sides.units === null || sides.input > 0n || sides.output > 0n;
}

/** Every token at the dearest price; nothing where the price is none. */
export function maxCost(price: Price, tokens: number): Picodollars {
  const sides = sidesOf(price);
  if (sides === null) return 0n;
  const { input, output, parts } = sides;
  let dearest = input > output ? input : output;
  if (parts !== null) for (const part of Object.values(parts)) if (part > dearest) dearest = part;
  return priceTimesTokens(dearest, tokens);
}

/** Texts are read once for each price of the book, not for each call: 4 µs. */
const readSides = new WeakMap<Price, ReturnType<typeof readPrice>>();

function sidesOf(price: Price): ReturnType<typeof readPrice> {
  let sides = readSides.get(price);
  if (sides === undefined) {
    sides = readPrice(price);
    readSides.set(price, sides);
  }
  return sides;
}

function sidesFor({ tier }: Usage, price: Price): Sides | null {
  const sides = sidesOf(price);
  return tier === undefined ? sides : (sides?.tiers?.[tier] ?? sides);
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

/**
 * The price as a ledger row keeps it: "input,cached input,output", then "tier=flex" if it is that of a
 * tier, and what was charged at a price of its own with its tokens, such as "cache_write=3.75*1200", or
 * its units, such as "per_image=0.04*2".
 */
export function priceText(price: Price, usage: Usage | null, units?: Units): string {
  const ofTokens = tokenPriceText(price, usage);
  const unitPrice = units && sidesOf(price)?.units?.[units.price];
  if (units === undefined || unitPrice === undefined) return ofTokens;
  return `${ofTokens},${unitFields[units.price]}=${formatPrice(unitPrice)}*${units.amount}`;
}

function tokenPriceText(price: Price, usage: Usage | null): string {
  const isOrdinary = usage?.tier === undefined && usage?.parts === undefined;
  const sides = isOrdinary ? null : sidesFor(usage, price);
  if (sides === null || usage === null) {
    return `${price.input},${price.cachedInput ?? ""},${price.output}`;
  }
  const { input, cached, output, tier } = sides;
  const cachedInput = tier === null && price.cachedInput === null ? "" : formatPrice(cached);
  const charged = chargedParts(usage, sides).map(
    (part) => `${partFields[part.name]}=${formatPrice(part.price)}*${part.tokens}`,
  );
  const named = tier === null ? charged : [`tier=${tier}`, ...charged];
  return [formatPrice(input), cachedInput, formatPrice(output), ...named].join(",");
}

/** The same price in its shortest spelling, or null when a side is not a price. */
export function canonicalPrice(price: Price): Price | null {
  const { model, since } = price;
  const sides = readPrice(price);
  if (sides === null || model === "" || !Number.isSafeInteger(since) || since < 0) return null;
  const shortest = (text: string | null | undefined) =>
    text === null || text === undefined ? null : formatPrice(parsePrice(text) ?? 0n);
  return {
    model,
    input: formatPrice(sides.input),
    cachedInput: shortest(price.cachedInput),
    output: formatPrice(sides.output),
    ...eachExtra((name) => shortest(price[name])),
    since,
  };
}
