import type { Kysely } from "kysely";

/** Upstreams and routes of the operator, and which of them a call has used. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("upstreams")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("url", "text", (column) => column.notNull())
    .addColumn("models", "text", (column) => column.notNull())
    .addColumn("concurrency", "integer")
    .addColumn("answer_seconds", "integer")
    .addColumn("first_token_seconds", "integer")
    .addColumn("secrets", "text")
    .addColumn("key_count", "integer", (column) => column.notNull())
    .addColumn("header_names", "text", (column) => column.notNull())
    .addColumn("proxy", "text")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("routes")
    .addColumn("model", "text", (column) => column.primaryKey())
    .addColumn("stages", "text", (column) => column.notNull())
    .execute();
  await db.schema.alterTable("ledger").addColumn("upstream", "text").execute();
  await db.schema.alterTable("ledger").addColumn("upstream_model", "text").execute();
  await db.schema.alterTable("ledger").addColumn("tries", "integer").execute();
}
