/** The tables of a test's database, as they are. */
import { DatabaseSync } from "node:sqlite";
import { Kysely, PostgresDialect, SqliteDialect } from "kysely";
import { Migrator } from "kysely/migration";
import pg from "pg";
import { expect } from "vitest";
import { forKysely } from "../../../src/storage/driver/sqlite.ts";
import { migrations } from "../../../src/storage/migrations/all.ts";
import { createBareDatabase, type Kind, type TestDatabase } from "./databases.ts";

/** A database without tables, until the work is done. */
export async function withDatabase(
  kind: Kind,
  work: (database: TestDatabase) => Promise<void>,
): Promise<void> {
  const database = await createBareDatabase(kind);
  try {
    await work(database);
  } finally {
    await database.drop();
  }
}

/** Leaves a new database as the version did whose last migration this was. */
export async function migrateTo(last: string, { place }: TestDatabase): Promise<void> {
  const file = place.sqliteFile == null ? null : new DatabaseSync(place.sqliteFile);
  const dialect =
    file === null
      ? new PostgresDialect({ pool: new pg.Pool({ connectionString: place.databaseUrl ?? "" }) })
      : new SqliteDialect({ database: forKysely(file) });
  const db = new Kysely<unknown>({ dialect });
  const provider = { getMigrations: async () => ({ ...migrations }) };
  const { error } = await new Migrator({ db, provider }).migrateTo(last);
  await db.destroy();
  file?.close();
  expect(error).toBeUndefined();
}

/** Runs one statement beside Parley; the rows are plain objects in either database. */
export async function query<Row = unknown>({ place }: TestDatabase, text: string): Promise<Row[]> {
  if (place.sqliteFile != null) {
    const file = new DatabaseSync(place.sqliteFile, { timeout: 5_000 });
    const rows = file.prepare(text).all();
    file.close();
    // SQLite's rows have no prototype. Cast: the rows have the type the query says.
    return rows.map((row) => ({ ...row })) as Row[];
  }
  const client = new pg.Client({ connectionString: place.databaseUrl ?? "" });
  await client.connect();
  const { rows } = await client.query(text);
  await client.end();
  return rows;
}
