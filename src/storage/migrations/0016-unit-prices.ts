import type { Kysely } from "kysely";

/** Prices per image, minute of audio and million characters. Null: there is none. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ["per_image", "per_minute", "per_million_characters"]) {
    await db.schema.alterTable("prices").addColumn(column, "text").execute();
  }
}
