import type { Kysely } from "kysely";

/**
 * Tokens that are disabled for a while, and earlier secrets that are still accepted. The index is for
 * names, which are looked up before one is given to a token.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ["disabled_at", "grace_until"]) {
    await db.schema.alterTable("tokens").addColumn(column, "bigint").execute();
  }
  await db.schema
    .createTable("token_secrets")
    .addColumn("digest", "text", (column) => column.primaryKey())
    .addColumn("token_id", "text", (column) => column.notNull())
    .addColumn("ends_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("tokens_by_name").on("tokens").columns(["name"]).execute();
}
