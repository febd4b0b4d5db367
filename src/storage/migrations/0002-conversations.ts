import type { Kysely } from "kysely";
import { sql } from "kysely";

/** Conversations, their turns and the operator's settings. A released migration is never edited. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createConversations(db);
  await createTurns(db);
  await db.schema
    .createTable("conversation_counts")
    .addColumn("owner", "text", (column) => column.primaryKey())
    .addColumn("conversations", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("settings")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("value", "text", (column) => column.notNull())
    .execute();
}

async function createConversations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("conversations")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("owner", "text", (column) => column.notNull())
    .addColumn("name_key", "text")
    .addColumn("name", "text")
    .addColumn("system_prompt", "text")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .addColumn("lifetime_ms", "bigint", (column) => column.notNull())
    .addColumn("leaf_id", "text")
    .addColumn("turns", "bigint", (column) => column.notNull())
    .addColumn("bytes", "bigint", (column) => column.notNull())
    .addColumn("claim_id", "text")
    .addColumn("claim_until", "bigint")
    .execute();
  await db.schema
    .createIndex("conversations_name")
    .unique()
    .on("conversations")
    .columns(["owner", "name_key"])
    .where(sql.ref("name_key"), "is not", null)
    .execute();
  await db.schema
    .createIndex("conversations_owner")
    .on("conversations")
    .columns(["owner", "created_at", "id"])
    .execute();
  await db.schema
    .createIndex("conversations_expiry")
    .on("conversations")
    .columns(["expires_at"])
    .execute();
}

/** Question and answer share a row, so that there can be no half turn. */
async function createTurns(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("turns")
    .addColumn("conversation_id", "text", (column) =>
      column.notNull().references("conversations.id").onDelete("cascade"),
    )
    .addColumn("id", "text", (column) => column.notNull())
    .addColumn("parent_id", "text")
    .addColumn("depth", "bigint", (column) => column.notNull())
    .addColumn("characters", "bigint", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("question", "text", (column) => column.notNull())
    .addColumn("answer", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("turns_key", ["conversation_id", "id"])
    .execute();
  // For the children of a message, counted before a branch is made.
  await db.schema
    .createIndex("turns_parent")
    .on("turns")
    .columns(["conversation_id", "parent_id"])
    .execute();
}
