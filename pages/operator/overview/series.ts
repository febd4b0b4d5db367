import { currentLanguage } from "../../shared/texts.ts";
import { pathWith } from "../asked.ts";

export interface FirstToken {
  readonly median: number;
  readonly p95: number;
}

export interface SeriesPoint {
  readonly at: string;
  readonly calls: number;
  readonly answered: number;
  readonly failed: number;
  readonly refused: number;
  readonly canceled: number;
  readonly total_tokens: number;
  readonly cost: string | null;
  readonly first_token_ms: FirstToken | null;
}

/** Sums of one dialect, model, upstream or token; key null: of all that are not listed. */
export interface SeriesSum {
  readonly key: string | null;
  readonly name?: string | null;
  readonly calls: number;
  readonly failed: number;
  readonly total_tokens: number;
  readonly cost: string | null;
  readonly first_token_ms: FirstToken | null;
}

export const seriesParts = ["model", "token", "upstream", "dialect"] as const;
export type SeriesPart = (typeof seriesParts)[number];

/** As `GET /admin/usage/series` answers. */
export interface UsageSeries {
  readonly points: readonly SeriesPoint[];
  readonly by: Readonly<Record<SeriesPart, readonly SeriesSum[]>>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Span {
  readonly step: "hour" | "day";
  readonly ms: number;
}

export const spans = {
  "24h": { step: "hour", ms: DAY_MS },
  "7d": { step: "hour", ms: 7 * DAY_MS },
  "30d": { step: "day", ms: 30 * DAY_MS },
} as const satisfies Record<string, Span>;

export type SpanName = keyof typeof spans;
export const spanNames = ["24h", "7d", "30d"] as const satisfies readonly SpanName[];

/** Whole hours or days, the current one included. */
export function pathOfSpan(path: string, name: SpanName, nowMs: number): string {
  const { step, ms } = spans[name];
  const stepMs = step === "hour" ? HOUR_MS : DAY_MS;
  const to = Math.floor(nowMs / stepMs) * stepMs + stepMs;
  return pathWith(path, { from: isoSecond(to - ms), to: isoSecond(to), step });
}

const isoSecond = (ms: number) => new Date(ms).toISOString().replace(".000Z", "Z");

/** Days are those of UTC; hours are shown in local time. */
export function timeOfPoint(iso: string, name: SpanName): string {
  const style = {
    "24h": { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    "7d": {
      month: "short",
      day: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    },
    "30d": { month: "short", day: "numeric", timeZone: "UTC" },
  } as const;
  return new Intl.DateTimeFormat(currentLanguage(), style[name]).format(new Date(iso));
}
