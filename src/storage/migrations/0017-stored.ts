import type { Kysely } from "kysely";

/** Whose the responses and conversations are that upstreams keep. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("stored_objects")
    .addColumn("digest", "text", (column) => column.primaryKey())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("token_id", "text", (column) => column.notNull())
    .addColumn("upstream", "text", (column) => column.notNull())
    .addColumn("key_digest", "text")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("stored_objects_by_time")
    .on("stored_objects")
    .columns(["kind", "created_at"])
    .execute();
  await db.schema
    .createIndex("stored_objects_by_token")
    .on("stored_objects")
    .columns(["token_id", "kind"])
    .execute();
}
