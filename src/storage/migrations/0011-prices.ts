import type { Kysely } from "kysely";

/** Prices of tokens that are charged apart, and of tiers. Null: the ordinary price. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const added = [
    ...["cache_write", "cache_write_hour", "audio_input", "audio_output", "reasoning"],
    ...["flex_input", "flex_cached_input", "flex_output"],
    ...["priority_input", "priority_cached_input", "priority_output"],
  ];
  for (const one of added) await db.schema.alterTable("prices").addColumn(one, "text").execute();
}
