import { type Kysely, SqliteAdapter, sql } from "kysely";

/**
 * Counts the writes to tokens, whoever makes them, so that a process can tell them from other writes to
 * the file. In SQLite only: with PostgreSQL a process keeps no tokens.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  if (!(db.getExecutor().adapter instanceof SqliteAdapter)) return;
  await sql`create table token_changes (count integer not null)`.execute(db);
  await sql`insert into token_changes (count) values (0)`.execute(db);
  for (const change of ["insert", "update", "delete"]) {
    await sql`create trigger ${sql.id(`tokens_${change}`)} after ${sql.raw(change)} on tokens
      begin update token_changes set count = count + 1; end`.execute(db);
  }
}
