import type { Clock } from "../core/ports.ts";
import { createAlertSweep } from "./alerts/sweep.ts";
import type { Database } from "./driver/database.ts";
import { createCountSweep } from "./reports/call-counts.ts";

/** Each deletes what is over; to be called now and then. */
export function createSweeps(database: Database, clock: Pick<Clock, "wallMs">) {
  return [createAlertSweep(database, clock), createCountSweep(database, clock)];
}
