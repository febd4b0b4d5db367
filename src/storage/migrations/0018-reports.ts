import type { Kysely } from "kysely";

/** Counts of calls by hour, over all instances, and the alerts of the last time. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("call_counts")
    .addColumn("hour", "bigint", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("calls", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("call_counts_key", ["hour", "name"])
    .execute();
  await db.schema
    .createTable("told_alerts")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("at", "bigint", (column) => column.notNull())
    .addColumn("event", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("facts", "text", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("told_alerts_by_time").on("told_alerts").columns(["at"]).execute();
}
