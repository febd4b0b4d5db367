import { z } from "zod";
import { seriesSteps } from "../core/reports/series.ts";
import type { Route, RouteDoc } from "../http/dialect.ts";
import { callSchema } from "./call-list.ts";
import { changeSchema } from "./change-list.ts";
import { createReportSchemas } from "./report-operations.ts";
import { reportSchemas } from "./report-views.ts";
import { MAX_POINTS } from "./spans.ts";

/** Only described here, never parsed with, so any clock will do. */
const schemas = createReportSchemas({ wallMs: () => 0 });
const { alert, decision, point, row } = reportSchemas;
const rows = z.array(row);

/** Each route that the operator's page reads, by method and path below /admin. */
export const reportDocs = {
  "GET /calls": {
    summary: "Lists calls without their content, newest first",
    description:
      "A page may be short of `limit` before the last one: only `next_cursor` tells. For a live tail over all copies, pass `newest` as `after`: what ended since then is listed, and some seconds before, since rows come late; leave out the `id`s that were seen. A call of more than 15 minutes comes without `after` only.",
    query: schemas.calls,
    answer: z.object({
      calls: z.array(callSchema),
      next_cursor: z.string().nullable(),
      newest: z.string(),
    }),
  },
  "GET /warnings": {
    summary: "Lists what is wrong now, as /readyz does, and the last 100 alerts",
    description:
      "Alerts about quotas are raised with `ALERT_URL` only; all others are kept without a receiver, too.",
    answer: z.object({
      warnings: z.array(z.looseObject({ code: z.string() })),
      alerts: z.array(alert),
    }),
  },
  "GET /changes": {
    summary: "Lists what operators have changed, newest first",
    description: "By command and over HTTP: the last 10,000 changes, without secrets.",
    query: schemas.changes,
    answer: z.object({ changes: z.array(changeSchema), next_cursor: z.string().nullable() }),
  },
  "GET /limits/decisions": {
    summary: "Counts what the limits let through and refused, over time",
    description: `Of all instances; the last 24 hours by hour unless said otherwise, at most ${MAX_POINTS} steps (UTC). Kept for 32 days.`,
    query: schemas.decisions,
    answer: z.object({ points: z.array(decision) }),
    fails: ["field_range"],
  },
  "GET /usage/series": {
    summary: "Sums calls over time, and by dialect, model, upstream and token",
    description: `The last 24 hours by hour, or 30 days by day, unless \`from\` and \`to\` say otherwise; at most ${MAX_POINTS} steps (UTC). The 50 with the most calls are listed, the others together.`,
    query: schemas.series,
    answer: z.object({
      from: z.iso.datetime(),
      to: z.iso.datetime(),
      step: z.enum(seriesSteps),
      points: z.array(point),
      by: z.object({ dialect: rows, model: rows, upstream: rows, token: rows }),
    }),
    fails: ["field_range"],
  },
} as const satisfies Readonly<Record<`${Route["method"]} /${string}`, RouteDoc>>;
