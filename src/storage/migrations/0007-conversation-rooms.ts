import type { Kysely } from "kysely";

/** What owners that cost nothing keep shares one room, until their key has been accepted upstream. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("conversations").addColumn("room", "text").execute();
  await db.schema
    .alterTable("conversations")
    .addColumn("room_bytes", "bigint", (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema
    .createTable("conversation_rooms")
    .addColumn("room", "text", (column) => column.primaryKey())
    .addColumn("bytes", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("accepted_owners")
    .addColumn("owner", "text", (column) => column.primaryKey())
    .addColumn("accepted_at", "bigint", (column) => column.notNull())
    .execute();
}
