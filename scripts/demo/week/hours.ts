/** When people ask: the hours of the week, and how many calls each of them has. */
const HOUR_MS = 3_600_000;
const HOURS = 168;
/** Of each hour of a working day (UTC), relative to the others. */
const DAILY = [
  3, 2, 4, 3, 4, 6, 12, 22, 32, 38, 40, 36, 30, 36, 40, 38, 34, 28, 20, 16, 13, 10, 7, 4,
];
const WEEKEND = 0.3;
/** What machines ask at any hour. */
const EVER = 6;
const OUTAGE_HOURS = 2;

export interface HourOfWeek {
  /** Its begin and end; milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly calls: number;
  /** The part of them that machines make. */
  readonly machines: number;
  /** Whether it is one of the last, in which a service is away. */
  readonly isOutage: boolean;
}

/** The week that ends now, oldest hour first; together they have about so many calls. */
export function hoursBefore(nowMs: number, calls: number): readonly HourOfWeek[] {
  const first = Math.floor(nowMs / HOUR_MS) - HOURS;
  const spans = Array.from({ length: HOURS + 1 }, (_, at) => {
    const from = Math.max((first + at) * HOUR_MS, nowMs - HOURS * HOUR_MS);
    const to = Math.min((first + at + 1) * HOUR_MS, nowMs);
    const human = humanShare(from) * ((to - from) / HOUR_MS);
    const ever = EVER * ((to - from) / HOUR_MS);
    return { from, to, weight: human + ever, machines: ever / (human + ever) };
  }).filter(({ from, to }) => to > from);
  const all = spans.reduce((sum, { weight }) => sum + weight, 0);
  return spans.map(({ from, to, weight, machines }) => ({
    from,
    to,
    calls: Math.round((calls * weight) / all),
    machines,
    isOutage: from > nowMs - OUTAGE_HOURS * HOUR_MS,
  }));
}

function humanShare(atMs: number): number {
  const date = new Date(atMs);
  const isWeekend = date.getUTCDay() % 6 === 0;
  return (DAILY[date.getUTCHours()] ?? 0) * (isWeekend ? WEEKEND : 1);
}
