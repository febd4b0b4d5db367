import { type Kysely, SqliteAdapter, sql } from "kysely";

/**
 * The ledger is kept in the order it is written and read in, by `at` and id, so that a row goes into
 * one tree in place of three (SQLite) or into one index in place of two: 3 of 8 µs a row. What holds
 * open calls is one tree, too.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  if (db.getExecutor().adapter instanceof SqliteAdapter) await rebuild(db);
  else {
    await db.schema.alterTable("ledger").dropConstraint("ledger_pkey").execute();
    await db.schema.alterTable("ledger").addPrimaryKeyConstraint("ledger_key", KEY).execute();
    await db.schema.dropIndex("ledger_at").execute();
  }
}

const KEY = ["at", "id"];

/** SQLite can't change the key of a table: each is made anew with what was in it. */
async function rebuild(db: Kysely<unknown>): Promise<void> {
  await remake(db, "ledger", "at, id");
  await remake(db, "reservations", "id");
  await sql`create index ledger_token_at on ledger (token_id, at) where token_id is not null`.execute(
    db,
  );
}

async function remake(db: Kysely<unknown>, table: string, key: string): Promise<void> {
  const columns = await columnsOf(db, table);
  const now = sql.raw(`${table}_now`);
  await sql`create table ${now} (${sql.raw(columns)}, primary key (${sql.raw(key)})) without rowid`.execute(
    db,
  );
  await sql`insert into ${now} select * from ${sql.raw(table)}`.execute(db);
  await db.schema.dropTable(table).execute();
  await db.schema.alterTable(`${table}_now`).renameTo(table).execute();
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
}

/** Their order stays, as rows are copied by it. */
async function columnsOf(db: Kysely<unknown>, table: string): Promise<string> {
  const { rows } =
    await sql<Column>`select name, type, "notnull" from pragma_table_info(${table})`.execute(db);
  return rows
    .map(({ name, type, notnull }) => `"${name}" ${type}${notnull === 1 ? " not null" : ""}`)
    .join(", ");
}
