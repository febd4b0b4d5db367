import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";

const DAY_MS = 86_400_000;

/** Deletes alerts whose subject has ended, and networks of days that are over. */
export function createAlertSweep({ driver, builder }: Database, clock: Pick<Clock, "wallMs">) {
  return async (): Promise<void> => {
    const now = clock.wallMs();
    const over = builder.deleteFrom("alerts").where("ends_at", "<", now);
    await driver.all(over.where("due_at", "is", null).compile());
    // a clock that goes back a little counts on
    const yesterday = Math.floor(now / DAY_MS) - 1;
    await driver.all(builder.deleteFrom("token_networks").where("day", "<", yesterday).compile());
  };
}
