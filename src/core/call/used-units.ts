import { type Price, pricesTokens, unitCost } from "../accounts/price.ts";
import type { Units } from "../accounts/units.ts";
import type { RelayAccount } from "../upstream-ports.ts";
import { UNKNOWN, type Used } from "./estimate.ts";

/** By what a call is charged beside its tokens: the first of its units that has a price. */
export function chargedUnits(price: Price | null, units: readonly Units[] = []): Units | null {
  if (price === null) return null;
  return units.find((one) => unitCost(price, one) !== null) ?? null;
}

/** Whether the price says what the call costs. */
export function coversCall(price: Price, units: readonly Units[] | undefined): boolean {
  return pricesTokens(price) || chargedUnits(price, units) !== null;
}

/** What a call with units has used. Tokens that were not reported are not estimated, as units are paid. */
export function usedUnits(account: RelayAccount | undefined, expected: Units): Used {
  // refused, or never sent
  if (account === undefined) return UNKNOWN;
  const { usage, seconds } = account;
  if (expected.price !== "perMinute") return { usage, units: expected, provenance: "reported" };
  if (seconds === undefined) return { usage, units: expected, provenance: "estimated" };
  return { usage, units: { ...expected, amount: seconds }, provenance: "reported" };
}
