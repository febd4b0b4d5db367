import { z } from "zod";
import type { ToldAlert } from "../core/alerts.ts";
import type { FirstTokenTimes } from "../core/reports/first-tokens.ts";
import type { SeriesPoint, SeriesRow, SeriesSums } from "../core/reports/series.ts";
import { view } from "./views.ts";

const count = z.int();
const time = z.iso.datetime();
const dollars = z.string().describe("US dollars, an exact decimal");
const firstTokens = z
  .object({ median: count, p95: count })
  .nullable()
  .describe("Milliseconds to the first token, within 7 %; null: no stream");

type OfSums<T> = readonly [T, (from: SeriesSums) => z.output<T>];

const sumFields = {
  total_tokens: [count, ({ totalTokens }) => totalTokens],
  cost: [dollars.nullable(), ({ cost }) => cost],
  first_token_ms: [firstTokens, ({ firstToken }) => shownTimes(firstToken)],
} as const satisfies Readonly<Record<string, OfSums<z.ZodType>>>;

const pointView = view<SeriesPoint>()({
  at: [time.describe("The beginning of the step"), ({ at }) => new Date(at).toISOString()],
  calls: [count, ({ calls }) => calls],
  answered: [count, ({ answered }) => answered],
  failed: [count.describe("Also those that broke off"), ({ failed }) => failed],
  refused: [
    count.describe("Not among `calls`; with `token`, those of all tokens are left out"),
    ({ refused }) => refused,
  ],
  canceled: [count, ({ canceled }) => canceled],
  ...sumFields,
});

const rowView = view<SeriesRow>()({
  key: [
    z.string().nullable().describe("Null: all others; empty: none; visitor, own-key: no token"),
    ({ key }) => key,
  ],
  name: [z.string().nullable().describe("Of a token"), ({ name }) => name],
  calls: [count, ({ calls }) => calls],
  failed: [count, ({ failed }) => failed],
  ...sumFields,
});

export const shownPoint = pointView.show;
export const shownRow = rowView.show;

const decisionSchema = z.object({
  at: time,
  admitted: count.describe("Requests that all limits let through"),
  refused: z.object({
    second: count.describe("This and the next three: by a window of the address or the token"),
    minute: count,
    hour: count,
    day: count,
    streams: count,
    tokens: count.describe("Model tokens per minute"),
    quota: count,
    other: count,
  }),
});

const alertSchema = z.looseObject({
  event: z.string().describe("The type of its webhook; its facts are beside it"),
  at: time,
  subject: z.string().describe("The name of the token, group or upstream"),
});

export function shownAlert({ event, at, subject, facts }: ToldAlert): z.output<typeof alertSchema> {
  const told = JSON.parse(facts) as object; // written only by toldOf
  return { ...told, event, at: new Date(at).toISOString(), subject };
}

export const reportSchemas = {
  alert: alertSchema,

  decision: decisionSchema,
  point: pointView.schema,
  row: rowView.schema,
};

function shownTimes(times: FirstTokenTimes | null) {
  return times && { median: times.median, p95: times.p95 };
}
