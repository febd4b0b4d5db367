import { sql } from "kysely";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";

const NAME = "token_lock";

/**
 * Lets one transaction of all processes pass, until its end: what the next one reads is what this one
 * has written. For writes of operators only.
 */
export function* oneAtATime({ driver, builder }: Database): Transaction<void> {
  // SQLite has one writer anyway
  if (driver.kind === "sqlite") return;
  const row = builder.insertInto("settings").values({ name: NAME, value: "" });
  const locked = row.onConflict((conflict) =>
    conflict.column("name").doUpdateSet({ value: sql.ref("excluded.value") }),
  );
  yield* query(locked.compile());
}
