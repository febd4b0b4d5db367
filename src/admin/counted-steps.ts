import {
  type CallCounts,
  type HourOfCounts,
  shownCounts,
  sumOfCounts,
} from "../core/reports/call-counts.ts";
import { type SeriesStep, stepsMs } from "../core/reports/series.ts";

const HOUR_MS = stepsMs.hour;

export interface CountedStep extends ReturnType<typeof shownCounts> {
  /** Milliseconds since 1970. */
  readonly at: number;
}

interface Steps {
  readonly from: number;
  readonly to: number;
  readonly step: SeriesStep;
}

/** The counts of each step, also where there are none. */
export function createCountsIn(counts: CallCounts) {
  return async ({ from, to, step }: Steps): Promise<readonly CountedStep[]> => {
    const stepMs = stepsMs[step];
    const hours = await counts.between(from / HOUR_MS, Math.ceil(to / HOUR_MS));
    const byStep = Map.groupBy(hours, ({ hour }) => Math.floor((hour * HOUR_MS) / stepMs));
    return Array.from({ length: Math.ceil((to - from) / stepMs) }, (_, index) => {
      const at = from + index * stepMs;
      const counted: readonly HourOfCounts[] = byStep.get(at / stepMs) ?? [];
      return { at, ...shownCounts(sumOfCounts(counted)) };
    });
  };
}
