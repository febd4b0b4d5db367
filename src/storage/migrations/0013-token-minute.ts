import type { Kysely } from "kysely";

/** Limits of tokens: model tokens per minute, and open calls. Null: none. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ["tokens_per_minute", "concurrency"]) {
    await db.schema.alterTable("tokens").addColumn(column, "bigint").execute();
  }
}
