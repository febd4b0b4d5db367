import { pathWith } from "../asked.ts";

export const sideNames = ["input", "cached_input", "output"] as const;
export const partNames = [
  "cache_write",
  "cache_write_1h",
  "audio_input",
  "audio_output",
  "reasoning",
] as const;
export const tierNames = [
  "flex_input",
  "flex_cached_input",
  "flex_output",
  "priority_input",
  "priority_cached_input",
  "priority_output",
] as const;
export const unitNames = ["per_image", "per_minute", "per_million_characters"] as const;

export const extraNames = [...partNames, ...tierNames, ...unitNames] as const;
export const priceNames = [...sideNames, ...extraNames] as const;

/** As /admin shows it: exact decimals of dollars. */
export interface Price extends Readonly<Record<(typeof priceNames)[number], string | null>> {
  readonly model: string;
  readonly since: string;
}

export interface PricesAnswer {
  readonly prices: readonly Price[];
}

export const pricesPath = (model: string, history: boolean) =>
  pathWith("prices", { model, history: history ? "true" : null });
