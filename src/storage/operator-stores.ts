import { createAlertStore } from "./alerts/alerts.ts";
import { createNetworks } from "./alerts/networks.ts";
import type { Database } from "./driver/database.ts";
import type { DatabaseClock } from "./driver/database-clock.ts";
import { withStorageErrors } from "./driver/storage-errors.ts";
import { createOperatorStore } from "./operator.ts";
import { createCallCountStore } from "./reports/call-counts.ts";
import { createReports } from "./reports/reports.ts";

/** What is kept for the operator alone. */
export function createOperatorStores(database: Database, clock: DatabaseClock) {
  return {
    alerts: createAlertStore(database, clock),
    networks: createNetworks(database),
    reports: createReports(database, clock),
    callCounts: createCallCountStore(database),
    operator: withStorageErrors(createOperatorStore(database, clock)),
  };
}
