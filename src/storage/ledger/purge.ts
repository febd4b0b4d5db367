import { setImmediate } from "node:timers/promises";
import { sql } from "kysely";
import type { Database } from "../driver/database.ts";
import { settingQueries } from "../settings.ts";

/** Rows deleted in one statement: so few that no call notices. */
const PURGED_AT_ONCE = 2_000;
/** The setting with the time of the newest row that was deleted. */
const PURGED_TO = "ledger_purged_to";

/** Deletes rows from before a moment, oldest first. Says how far before it deletes any. */
export function createPurge({ driver, builder }: Database) {
  const { write } = settingQueries(builder);
  return async (before: number): Promise<number> => {
    const old = builder
      .selectFrom("ledger")
      .select(["at", "id"])
      .where("at", "<", before)
      .orderBy("at")
      .limit(PURGED_AT_ONCE);
    const newest = builder.selectFrom(old.as("old")).select(({ fn }) => fn.max("at").as("at"));
    const remove = builder
      .deleteFrom("ledger")
      .where(sql<boolean>`(at, id) in ${old}`)
      .returning("id")
      .compile();
    for (let purged = 0; ; ) {
      const [last] = await driver.report(newest.compile());
      if (last?.at == null) return purged;
      await driver.all(write({ name: PURGED_TO, value: String(last.at) }));
      const rows = await driver.report(remove);
      purged += rows.length;
      if (rows.length < PURGED_AT_ONCE) return purged;
      // SQLite is synchronous: yield here, or calls wait until all rows are deleted.
      await setImmediate();
    }
  };
}

/** The time of the newest row that was deleted; null if none was. */
export function createPurgedTo({ driver, builder }: Database): () => Promise<number | null> {
  const { read } = settingQueries(builder);
  return async () => {
    const [row] = await driver.all(read({ name: PURGED_TO }));
    return row === undefined ? null : Number(row.value);
  };
}
