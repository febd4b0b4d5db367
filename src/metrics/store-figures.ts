import { createDurations, type PrintedMetric } from "./counters.ts";

/** Around the tenth of a second that a decision may take. */
const BOUNDS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1];

/** Counts decisions about limits that were asked of the shared store. */
export interface StoreFigures {
  /** In milliseconds; null for a decision that this instance made without the store. */
  decision(tookMs: number | null): void;
  fallbacks(): number;
  readonly durations: PrintedMetric;
}

export function createStoreFigures(): StoreFigures {
  const help = "Decisions of the shared store.";
  const durations = createDurations("parley_limits_store_seconds", help, "store", BOUNDS_SECONDS);
  let fallbacks = 0;
  return {
    decision(tookMs) {
      if (tookMs === null) fallbacks += 1;
      else durations.observe(tookMs, "redis");
    },
    fallbacks: () => fallbacks,
    durations,
  };
}
