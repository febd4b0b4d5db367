import { formatPrice, pricePerUnit } from "../core/accounts/money.ts";
import type { UnitName } from "../core/accounts/price-fields.ts";

/** Elsewhere, such fields are about what stands in a question. */
const MODES: ReadonlySet<unknown> = new Set([
  "image_generation",
  "image_edit",
  "audio_transcription",
  "audio_speech",
]);

/** LiteLLM's names of prices per unit. Of two for the same unit, the first that is there counts. */
export const UNIT_FIELDS: readonly (readonly [unit: UnitName, field: string])[] = [
  ["perImage", "output_cost_per_image"],
  ["perImage", "input_cost_per_image"],
  ["perMinute", "input_cost_per_second"],
  ["perMinute", "output_cost_per_second"],
  ["perMillionCharacters", "input_cost_per_character"],
  ["perMillionCharacters", "output_cost_per_character"],
];
/** How many of LiteLLM's units make one of Parley's. */
const TIMES: Readonly<Record<UnitName, bigint>> = {
  perImage: 1n,
  perMinute: 60n,
  perMillionCharacters: 1_000_000n,
};

/** Prices per unit that Parley can hold exactly; null if there are none. */
export function unitPricesIn(
  { mode }: Readonly<Record<string, unknown>>,
  read: (field: string) => string | null,
): Readonly<Partial<Record<UnitName, string>>> | null {
  if (!MODES.has(mode)) return null;
  const prices: Partial<Record<UnitName, string>> = {};
  for (const [unit, field] of UNIT_FIELDS) {
    const text = read(field);
    const price = text === null ? null : pricePerUnit(text, TIMES[unit]);
    if (price !== null && price > 0n) prices[unit] ??= formatPrice(price);
  }
  return Object.keys(prices).length === 0 ? null : prices;
}
