import type { Kysely } from "kysely";

/** What an instance says of itself, so that each of several copies sees where they differ. JSON. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("owners").addColumn("facts", "text").execute();
}
