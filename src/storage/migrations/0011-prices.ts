import type { Kysely } from "kysely";

/** Prices of tokens that are charged apart. Null: they cost what their side costs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const parts = ["cache_write", "cache_write_hour", "audio_input", "audio_output", "reasoning"];
  for (const part of parts) await db.schema.alterTable("prices").addColumn(part, "text").execute();
}
