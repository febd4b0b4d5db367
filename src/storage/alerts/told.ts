import type { ToldAlert } from "../../core/alerts.ts";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";
import type { Builder } from "../driver/queries.ts";

/** Older ones are deleted. */
const MAX_TOLD = 100;

/** Keeps an alert for the operator's page, as a part of a transaction. */
export function* keepTold(
  builder: Builder,
  id: string,
  told: Omit<ToldAlert, "id"> | undefined,
): Transaction<void> {
  if (told === undefined) return;
  const insert = builder.insertInto("told_alerts").values({ id, ...told });
  yield* query(insert.onConflict((conflict) => conflict.doNothing()).compile());
  const oldest = builder
    .selectFrom("told_alerts")
    .select("at")
    .orderBy("at", "desc")
    .limit(1)
    .offset(MAX_TOLD - 1);
  yield* query(builder.deleteFrom("told_alerts").where("at", "<", oldest).compile());
}

/** The newest first. */
export function createToldAlerts({ driver, builder }: Database) {
  const newest = builder
    .selectFrom("told_alerts")
    .selectAll()
    .orderBy("at", "desc")
    .orderBy("id", "desc")
    .limit(MAX_TOLD)
    .compile();
  return (): Promise<readonly ToldAlert[]> => driver.report(newest);
}
