import type { Usage } from "../call/messages.ts";
import { type Picodollars, priceTimesTokens, type UnitPrice } from "./money.ts";

/** Tokens that may have a price of their own, by their names in lists and records. */
export const partFields = {
  /** Of the question: written into a cache, for some minutes or for an hour. */
  cacheWrite: "cache_write",
  cacheWriteHour: "cache_write_1h",
  audioInput: "audio_input",
  /** Of the answer. */
  audioOutput: "audio_output",
  reasoning: "reasoning",
} as const;

export type PartName = keyof typeof partFields;

// Object.keys forgets the type of the keys.
export const partNames = Object.keys(partFields) as readonly PartName[];

/** In the order in which they take from the tokens of their side. */
const ASKED: readonly PartName[] = ["cacheWriteHour", "cacheWrite", "audioInput"];
const ANSWERED: readonly PartName[] = ["audioOutput", "reasoning"];

/** What the tokens of one model cost. */
export interface Sides {
  readonly input: UnitPrice;
  readonly cached: UnitPrice;
  readonly output: UnitPrice;
  /** Null: all tokens are ordinary ones. */
  readonly parts: Readonly<Partial<Record<PartName, UnitPrice>>> | null;
}

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
