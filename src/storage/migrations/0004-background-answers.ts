import type { Kysely } from "kysely";

/** Calls whose answers are made in the background. A released migration is never edited. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("background_answers")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("due_at", "bigint", (column) => column.notNull())
    .addColumn("call", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("background_answers_due")
    .on("background_answers")
    .columns(["due_at"])
    .execute();
}
