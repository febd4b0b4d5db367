import { type Kysely, SqliteAdapter, sql } from "kysely";

/**
 * Groups of tokens. Their counters are rows of `quota_use`, under the id of the group. A reservation
 * has the periods in which its group counted it, which may not be those of its token.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("token_groups")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull().unique())
    .addColumn("comment", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("quotas", "text", (column) => column.notNull())
    .execute();
  await db.schema.alterTable("tokens").addColumn("group_id", "text").execute();
  await db.schema.createIndex("tokens_by_group").on("tokens").columns(["group_id"]).execute();
  await db.schema.alterTable("reservations").addColumn("group_id", "text").execute();
  for (const column of ["group_day", "group_month"]) {
    await db.schema.alterTable("reservations").addColumn(column, "bigint").execute();
  }
  if (!(db.getExecutor().adapter instanceof SqliteAdapter)) return;
  // a change of a group is one of its tokens, which processes keep
  for (const change of ["update", "delete"]) {
    await sql`create trigger ${sql.id(`token_groups_${change}`)} after ${sql.raw(change)} on token_groups
      begin update token_changes set count = count + 1; end`.execute(db);
  }
}
