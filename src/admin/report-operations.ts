import { z } from "zod";
import type { Reports } from "../core/reports/reports.ts";
import { type Dimension, seriesSteps } from "../core/reports/series.ts";
import { callLister, callListSchema } from "./call-list.ts";
import { choiceOf, moment, parseFields, plainText, type WallClock } from "./fields.ts";
import { present } from "./present.ts";
import { shownPoint, shownRow } from "./report-views.ts";
import { stepsIn } from "./spans.ts";

const MAX_NAME_CHARACTERS = 200;

/** What the operations below take. */
export function createReportSchemas(clock: WallClock) {
  const name = plainText(MAX_NAME_CHARACTERS);
  const past = moment(clock, "back").nullish();
  const steps = { from: past, to: past, step: choiceOf(seriesSteps).nullish() };
  return {
    series: z.strictObject({ ...steps, token: name.nullish() }),
    calls: callListSchema(clock),
  };
}

interface ReportNeeds {
  readonly reports: Reports;
  readonly clock: WallClock;
}

/** What an operator's page reads. */
export function reportOperations({ reports, clock }: ReportNeeds) {
  const schemas = createReportSchemas(clock);
  return {
    calls: callLister({ reports, clock }),
    async series(given: unknown) {
      const { token, ...span } = parseFields(schemas.series, given);
      const steps = stepsIn(span, clock.wallMs());
      const { points, by } = await reports.series({ ...steps, ...present({ tokenId: token }) });
      const rows = (dimension: Dimension) => by[dimension].map(shownRow);
      return {
        from: new Date(steps.from).toISOString(),
        to: new Date(steps.to).toISOString(),
        step: steps.step,
        points: points.map(shownPoint),
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
