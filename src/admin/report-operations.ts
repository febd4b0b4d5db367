import { z } from "zod";
import type { CallCounts } from "../core/reports/call-counts.ts";
import type { Reports } from "../core/reports/reports.ts";
import { type Dimension, type SeriesPoint, seriesSteps } from "../core/reports/series.ts";
import type { StatusWarning } from "../dialects/status/routes.ts";
import { callLister, callListSchema } from "./call-list.ts";
import { changeLister, changeListSchema } from "./change-list.ts";
import { type CountedStep, createCountsIn } from "./counted-steps.ts";
import { choiceOf, moment, parseFields, plainText, type WallClock } from "./fields.ts";
import { present } from "./present.ts";
import { shownAlert, shownPoint, shownRow } from "./report-views.ts";
import { stepsIn } from "./spans.ts";

const MAX_NAME_CHARACTERS = 200;

/** What the operations below take. */
export function createReportSchemas(clock: WallClock) {
  const name = plainText(MAX_NAME_CHARACTERS);
  const past = moment(clock, "back").nullish();
  const steps = { from: past, to: past, step: choiceOf(seriesSteps).nullish() };
  return {
    decisions: z.strictObject(steps),
    series: z.strictObject({ ...steps, token: name.nullish() }),
    calls: callListSchema(clock),
    changes: changeListSchema,
  };
}

interface ReportNeeds {
  readonly reports: Reports;
  readonly callCounts: CallCounts;
  readonly warnings?: (() => readonly StatusWarning[]) | undefined;
  readonly clock: WallClock;
}

/** What an operator's page reads. */
export function reportOperations({ reports, callCounts, warnings, clock }: ReportNeeds) {
  const schemas = createReportSchemas(clock);
  const countsIn = createCountsIn(callCounts);
  return {
    /** What an operator should look at: what is wrong now, and what was told. */
    async warnings() {
      const alerts = (await reports.alerts()).map(shownAlert);
      return { warnings: warnings?.() ?? [], alerts };
    },
    /** What the limits let through and refused. */
    async decisions(given: unknown) {
      const span = stepsIn(parseFields(schemas.decisions, given), clock.wallMs());
      const points = (await countsIn(span)).map(({ at, admitted, refused }) => ({
        at: new Date(at).toISOString(),
        admitted,
        refused,
      }));
      return { points };
    },
    calls: callLister({ reports, clock }),
    changes: changeLister(reports),
    async series(given: unknown) {
      const { token, ...span } = parseFields(schemas.series, given);
      const steps = stepsIn(span, clock.wallMs());
      const { points, by } = await reports.series({ ...steps, ...present({ tokenId: token }) });
      // refused calls leave no row; their counts are not those of one token
      const counted = token == null ? await countsIn(steps) : [];
      const rows = (dimension: Dimension) => by[dimension].map(shownRow);
      return {
        from: new Date(steps.from).toISOString(),
        to: new Date(steps.to).toISOString(),
        step: steps.step,
        points: points.map((point, index) => shownPoint(withRefused(point, counted[index]))),
        by: {
          dialect: rows("dialect"),
          model: rows("model"),
          upstream: rows("upstream"),
          token: rows("token"),
        },
      };
    },
  };
}

function withRefused(point: SeriesPoint, counted: CountedStep | undefined): SeriesPoint {
  const refused = Object.values(counted?.refused ?? {}).reduce((sum, one) => sum + one, 0);
  return { ...point, refused: point.refused + refused };
}
