import { sql } from "kysely";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { prepare } from "../driver/queries.ts";

const NAME = "latest_moment";

/**
 * The latest moment that this process or the database has seen. A price that was in force stays so
 * when a clock goes back.
 */
export interface LatestMoment {
  /** This moment, or the latest one if that is later. */
  atLeast(ms: number): number;
  /** Stores the moment if it is later, and learns what others have stored. */
  mark(ms: number): Transaction<void>;
}

export async function createLatestMoment({ driver, builder }: Database): Promise<LatestMoment> {
  let latestMs = 0;
  const read = builder.selectFrom("settings").select("value").where("name", "=", NAME);
  const see = (rows: readonly { readonly value: string }[]) => {
    for (const { value } of rows) latestMs = Math.max(latestMs, Number(value) || 0);
  };
  const mark = prepare<{ value: string }, { value: string }>(({ text }) =>
    builder
      .insertInto("settings")
      .values({ name: sql.lit(NAME), value: text("value") })
      .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: later }))
      .returning("value"),
  );
  see(await driver.all(read.compile()));
  return {
    atLeast: (ms) => Math.max(ms, latestMs),
    *mark(ms) {
      see(yield* query(mark({ value: String(Math.round(ms)) })));
    },
  };
}

const later = sql<string>`case when cast(excluded.value as bigint) > cast(settings.value as bigint)
  then excluded.value else settings.value end`;
