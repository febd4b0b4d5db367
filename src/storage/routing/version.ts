import { sql } from "kysely";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";

const NAME = "routing_version";

/** The number that every change of an upstream or a route makes larger. */
export function createVersion({ builder }: Pick<Database, "builder">) {
  const stored = builder.selectFrom("settings").select("value").where("name", "=", NAME).compile();
  const first = builder.insertInto("settings").values({ name: NAME, value: "1" });
  const raised = first
    .onConflict((conflict) =>
      conflict.column("name").doUpdateSet({
        value: sql<string>`cast(cast(settings.value as bigint) + 1 as text)`,
      }),
    )
    .compile();
  return {
    *read(): Transaction<number> {
      const [row] = yield* query(stored);
      return Number(row?.value ?? 0);
    },
    /** Until its transaction ends no other change begins, so it comes before all that a change reads. */
    *raise(): Transaction<void> {
      yield* query(raised);
    },
  };
}
