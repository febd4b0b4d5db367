import { fieldError } from "../core/common-errors.ts";
import { type SeriesStep, stepsMs } from "../core/reports/series.ts";

export const MAX_POINTS = 400;
const USUAL_POINTS = { hour: 24, day: 30 } as const satisfies Record<SeriesStep, number>;

interface GivenSpan {
  readonly from?: number | null | undefined;
  readonly to?: number | null | undefined;
  readonly step?: SeriesStep | null | undefined;
}

/** A span in steps, from the beginning of the first: the last day by hours, or 30 days. */
export function stepsIn(given: GivenSpan, nowMs: number) {
  const step = given.step ?? "hour";
  const stepMs = stepsMs[step];
  const beginning = (at: number) => Math.floor(at / stepMs) * stepMs;
  const to = given.to ?? nowMs;
  const last = beginning(to - 1);
  const from = beginning(given.from ?? last - (USUAL_POINTS[step] - 1) * stepMs);
  const earliest = last - (MAX_POINTS - 1) * stepMs;
  if (from >= earliest && from < to) return { from, to, step };
  const [min, max] = [earliest, to - 1].map((at) => new Date(Math.max(0, at)).toISOString());
  throw fieldError("field_range", "from", { min: min ?? "", max: max ?? "" });
}
