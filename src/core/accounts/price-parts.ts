import type { Usage } from "../call/messages.ts";
import { type Picodollars, priceTimesTokens, type UnitPrice } from "./money.ts";
import type { PartName } from "./price-fields.ts";
import type { Sides } from "./price-sides.ts";

/** In the order in which they take from the tokens of their side. */
const ASKED: readonly PartName[] = ["cacheWriteHour", "cacheWrite", "audioInput"];
const ANSWERED: readonly PartName[] = ["audioOutput", "reasoning"];

/** Tokens that were charged at a price of their own. */
export interface ChargedPart {
  readonly name: PartName;
  readonly tokens: number;
  readonly price: UnitPrice;
}

/** Exact cost of plausible usage. */
export function costOfSides(usage: Usage, sides: Sides): Picodollars {
  const { promptTokens, completionTokens } = usage;
  const cachedTokens = usage.cachedTokens ?? 0;
  // as most answers are
  if (usage.parts === undefined || sides.parts === null) {
    return ordinaryCost(sides, promptTokens, cachedTokens, completionTokens);
  }
  const charged = chargedParts(usage, sides);
  const prompt = promptTokens - sumOf(charged, ASKED);
  const completion = completionTokens - sumOf(charged, ANSWERED);
  let cost = ordinaryCost(sides, prompt, cachedTokens, completion);
  for (const { price, tokens } of charged) cost += priceTimesTokens(price, tokens);
  return cost;
}

function ordinaryCost(
  { input, cached, output }: Sides,
  prompt: number,
  cachedTokens: number,
  completion: number,
): Picodollars {
  // Cached tokens are a part of the prompt tokens, never more.
  const fromCache = Math.min(cachedTokens, prompt);
  return (
    priceTimesTokens(input, prompt - fromCache) +
    priceTimesTokens(cached, fromCache) +
    priceTimesTokens(output, completion)
  );
}

const NONE: readonly ChargedPart[] = [];

/** Parts take from their side before cached tokens do: where two overlap, the dearer one counts. */
export function chargedParts(usage: Usage, sides: Sides): readonly ChargedPart[] {
  const { parts } = usage;
  const { parts: prices } = sides;
  if (parts === undefined || prices === null) return NONE;
  const take = (names: readonly PartName[], most: number) => {
    let left = most;
    return names.flatMap((name) => {
      const price = prices[name];
      const tokens = Math.min(parts[name] ?? 0, left);
      if (price === undefined || tokens === 0) return [];
      left -= tokens;
      return [{ name, tokens, price }];
    });
  };
  return [...take(ASKED, usage.promptTokens), ...take(ANSWERED, usage.completionTokens)];
}

function sumOf(charged: readonly ChargedPart[], side: readonly PartName[]): number {
  return charged.reduce((sum, { name, tokens }) => (side.includes(name) ? sum + tokens : sum), 0);
}
