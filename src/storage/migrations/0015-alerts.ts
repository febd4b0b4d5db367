import type { Kysely } from "kysely";

/** Alerts, each told once, and the networks that tokens were seen from on a day. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("alerts")
    .addColumn("subject", "text", (column) => column.primaryKey())
    .addColumn("mark", "bigint", (column) => column.notNull())
    .addColumn("ends_at", "bigint", (column) => column.notNull())
    .addColumn("id", "text", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .addColumn("due_at", "bigint")
    .addColumn("tries", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("alerts_due").on("alerts").columns(["due_at"]).execute();
  await db.schema
    .createTable("token_networks")
    .addColumn("token_id", "text", (column) => column.notNull())
    .addColumn("day", "bigint", (column) => column.notNull())
    .addColumn("network", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("token_networks_key", ["token_id", "day", "network"])
    .execute();
}
