import type { PriceBook } from "../accounts/accounts.ts";
import type { Picodollars } from "../accounts/money.ts";
import { maxCost, type Price, pricesTokens, unitCost } from "../accounts/price.ts";
import type { ExpectedTokens, ReservedTokens } from "./reserved-tokens.ts";
import type { Target } from "./targets.ts";
import { chargedUnits } from "./used-units.ts";

/** What a call may cost, as it was when the call began. */
export interface CallPrices {
  /** Of each target; null where it has no price. */
  readonly all: readonly (Price | null)[];
  /** Of the model that was asked. Null: it has none, or nobody was asked. */
  of(upstreamModel: string | null): Price | null;
}

/** A class, because nearly every call has one. */
class OnePrice implements CallPrices {
  readonly #price: Price | null;

  constructor(price: Price | null) {
    this.#price = price;
  }

  get all(): CallPrices["all"] {
    return [this.#price];
  }

  of(): Price | null {
    return this.#price;
  }
}

export const UNPRICED: CallPrices = new OnePrice(null);

interface PricedCall {
  readonly model: string;
  readonly targets: readonly Pick<Target, "model">[];
}

/** A target costs what its model costs, else what the name asked for costs. */
export async function callPrices(
  prices: PriceBook,
  { model, targets }: PricedCall,
  at: number,
): Promise<CallPrices> {
  const price = await prices.priceOf(model, at);
  const isOne = targets.every((target) => target.model === null || target.model === model);
  if (isOne) return new OnePrice(price);
  const renamed = new Set(targets.flatMap((target) => target.model ?? []));
  renamed.delete(model);
  const found = new Map<string | null, Price | null>([[model, price]]);
  for (const name of renamed) found.set(name, (await prices.priceOf(name, at)) ?? price);
  const isNamed = targets.some((target) => (target.model ?? model) === model);
  if (!isNamed) found.delete(model);
  return { all: [...found.values()], of: (name) => found.get(name) ?? null };
}

/** What a call may take at most, whoever answers: tokens where they have a price, and money. */
export function dearest(
  { all }: CallPrices,
  reserved: ReservedTokens,
  units: ExpectedTokens["units"],
): { readonly tokens: number; readonly money: Picodollars } {
  let tokens = 0;
  let money = 0n;
  for (const price of all) {
    if (price === null) continue;
    const charged = chargedUnits(price, units);
    const counted = pricesTokens(price) ? reserved.question + reserved.answers : 0;
    const ofUnits = charged === null ? 0n : (unitCost(price, charged) ?? 0n);
    const most = maxCost(price, counted) + ofUnits;
    if (counted > tokens) tokens = counted;
    if (most > money) money = most;
  }
  return { tokens, money };
}

/**
 * Usage is priced by the model that answered where it has a price, else by the one that was asked. A target
 * that the operator has named costs what its model does, whatever it calls itself.
 */
export async function priceOfAnswer(
  prices: PriceBook,
  { answeredBy, upstreamModel }: Readonly<Record<"answeredBy" | "upstreamModel", string | null>>,
  begun: { readonly priced: CallPrices; readonly request: PricedCall; readonly at: number },
): Promise<Price | null> {
  const asked = begun.priced.of(upstreamModel);
  if (answeredBy === null || answeredBy === "" || answeredBy === upstreamModel) return asked;
  if (begun.request.targets.some(({ model }) => model !== null)) return asked;
  // a row with the price that was asked for is better than none
  const answered = await prices.priceOf(answeredBy, begun.at).catch(() => null);
  return answered ?? asked;
}
