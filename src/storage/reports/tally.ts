import { formatMoney } from "../../core/accounts/money.ts";
import { MAX_BINS, timesIn } from "../../core/reports/first-tokens.ts";
import type { SeriesSums } from "../../core/reports/series.ts";

/** What a query counted of some calls whose first token came in one bin, or of those without one. */
export interface CountedCalls {
  readonly bin: number | null;
  readonly calls: number;
  readonly answered: number;
  readonly failed: number;
  readonly canceled: number;
  readonly refused: number;
  readonly tokens: number;
  /** Picodollars as text. */
  readonly cost: string | null;
}

/** What was counted so far, over slices and bins. */
export interface SeriesTally {
  calls: number;
  answered: number;
  failed: number;
  canceled: number;
  refused: number;
  tokens: number;
  cost: bigint | null;
  readonly bins: Uint32Array;
}

export function newTally(): SeriesTally {
  const none = { calls: 0, answered: 0, failed: 0, canceled: 0, refused: 0, tokens: 0 };
  return { ...none, cost: null, bins: new Uint32Array(MAX_BINS) };
}

export function addCounted(tally: SeriesTally, counted: CountedCalls): void {
  tally.calls += counted.calls;
  tally.answered += counted.answered;
  tally.failed += counted.failed;
  tally.canceled += counted.canceled;
  tally.refused += counted.refused;
  tally.tokens += counted.tokens;
  if (counted.cost !== null) tally.cost = (tally.cost ?? 0n) + BigInt(counted.cost);
  if (counted.bin === null) return;
  const bin = Math.min(counted.bin, MAX_BINS - 1);
  tally.bins[bin] = (tally.bins[bin] ?? 0) + counted.calls;
}

export function addTally(tally: SeriesTally, other: SeriesTally): void {
  addCounted(tally, { ...other, bin: null, cost: other.cost?.toString() ?? null });
  other.bins.forEach((count, bin) => {
    tally.bins[bin] = (tally.bins[bin] ?? 0) + count;
  });
}

export function sumsOf({ calls, failed, tokens, cost, bins }: SeriesTally): SeriesSums {
  return {
    calls,
    failed,
    totalTokens: tokens,
    cost: cost === null ? null : formatMoney(cost),
    firstToken: timesIn(bins),
  };
}
