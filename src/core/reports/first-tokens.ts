/**
 * Times to the first token, counted in bins that each reach 13 % further than the one before: what is
 * read from them is within 7 %.
 */
export const BINS_PER_E = 8;
/** The last one has all times above two hours. */
export const MAX_BINS = 128;
const P95 = 0.95;

export interface FirstTokenTimes {
  /** Milliseconds. */
  readonly median: number;
  readonly p95: number;
}

export function binOf(ms: number): number {
  return ms < 1 ? 0 : Math.min(Math.trunc(Math.log(ms) * BINS_PER_E), MAX_BINS - 1);
}

/** From counts by bin; null without any. */
export function timesIn(counts: ArrayLike<number>): FirstTokenTimes | null {
  const all = Array.from(counts).reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  return { median: timeAt(counts, Math.ceil(all / 2)), p95: timeAt(counts, Math.ceil(all * P95)) };
}

function timeAt(counts: ArrayLike<number>, place: number): number {
  let seen = 0;
  let bin = 0;
  while (bin < counts.length - 1) {
    seen += counts[bin] ?? 0;
    if (seen >= place) break;
    bin += 1;
  }
  return Math.round(Math.exp((bin + 0.5) / BINS_PER_E));
}
