import type { Clock } from "../../core/ports.ts";
import type { Reports } from "../../core/reports/reports.ts";
import { createToldAlerts } from "../alerts/told.ts";
import { createChangeList } from "../changes/list.ts";
import type { Database } from "../driver/database.ts";
import { createCallList } from "./calls.ts";
import { createSeries } from "./series.ts";
import { createTokenSearch } from "./token-search.ts";

export function createReports(database: Database, clock: Pick<Clock, "wallMs">): Reports {
  return {
    searchTokens: createTokenSearch(database, clock),
    series: createSeries(database),
    calls: createCallList(database),
    changes: createChangeList(database),
    alerts: createToldAlerts(database),
  };
}
