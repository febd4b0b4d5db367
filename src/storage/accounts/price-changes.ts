import type { Price } from "../../core/accounts/price.ts";
import { priceFacts } from "../changes/facts.ts";
import type { NewChange } from "../changes/record.ts";

/** An import of a long list would leave no room for other changes: the rest of it is a number. */
const MAX_NOTED = 100;

export interface AddedPrice {
  readonly before: Price | null;
  readonly after: Price;
}

/** What is written down of prices that were added together. */
export function priceChanges(added: readonly AddedPrice[], isImport: boolean): NewChange[] {
  const action = isImport ? "import" : "set";
  const noted = added.slice(0, MAX_NOTED).map(({ before, after }) => ({
    ...({ kind: "price", subject: after.model, action } as const),
    before: before && priceFacts(before),
    after: priceFacts(after),
  }));
  const further = added.length - noted.length;
  const rest = { kind: "price", subject: "", action, before: null } as const;
  return further === 0 ? noted : [...noted, { ...rest, after: { further_prices: further } }];
}
