import type { Named } from "../named.ts";
import { type Picodollars, priceTimesTokens, type UnitPrice } from "./money.ts";
import type { UnitName } from "./price-fields.ts";

/** What a call is charged by beside its tokens: images, seconds of audio, or characters. */
export type Units = Named<{
  readonly price: UnitName;
  readonly amount: number;
}>;

/** One call's cost at the highest prices must fit into 64 bits. */
export const MAX_IMAGES = 100;
/** Ten hours. */
export const MAX_SECONDS = 36_000;

const PICO_PER_MICRO = 1_000_000n;
const MS_PER_MINUTE = 60_000n;

/** Exact, but for seconds: the last picodollar is rounded up. */
export function costOfUnits({ price, amount }: Units, unitPrice: UnitPrice): Picodollars {
  if (price === "perMillionCharacters") return priceTimesTokens(unitPrice, amount);
  if (price === "perImage") return unitPrice * PICO_PER_MICRO * BigInt(amount);
  const ms = BigInt(Math.ceil(Math.min(amount, MAX_SECONDS) * 1_000));
  return (unitPrice * PICO_PER_MICRO * ms + MS_PER_MINUTE - 1n) / MS_PER_MINUTE;
}

/** In code points. */
export function codePointsOf(text: string): number {
  let characters = text.length;
  for (let at = 1; at < text.length; at += 1) {
    if (isLow(text.charCodeAt(at)) && isHigh(text.charCodeAt(at - 1))) characters -= 1;
  }
  return characters;
}

const isHigh = (unit: number) => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff;
