import { type Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { migrations } from "../migrations/all.ts";
import { NoDatabaseError } from "./access.ts";
import type { StorageNotice } from "./driver.ts";
import type { Tables } from "./schema.ts";
import { laterMigrations, leaveMark, MIGRATION_TABLE, migrationsOf } from "./versions.ts";

const LOCK_TABLE = "parley_migration_lock";
/** Where versions before these names kept theirs. */
const OLD_TABLE = "kysely_migration";
const OLD_LOCK_TABLE = "kysely_migration_lock";

/** What the first migrations create. Under these names there may be another program's. */
const FIRST_TABLES = [
  ...["tokens", "quota_use", "reservations", "owners", "ledger", "prices"],
  ...["turns", "conversations", "conversation_counts", "settings"],
] as const satisfies readonly (keyof Tables)[];

export interface MigrateOptions {
  /** False: throws a NoDatabaseError if there is no database of Parley. */
  readonly mayCreate: boolean;
  /** Called if the database is of a newer version, which this one can serve. */
  readonly onNotice: (notice: StorageNotice) => void;
}

/**
 * Brings the tables up to date. The caller has opened one exclusive transaction, so of several
 * processes that start one migrates and the others wait, and a killed one leaves nothing. In
 * PostgreSQL only the schema is looked at. What a newer version has added stays and is told: see
 * versions.ts.
 */
export async function migrate(
  db: Kysely<unknown>,
  { mayCreate, onNotice }: MigrateOptions,
  schema?: string,
): Promise<void> {
  const isNew = await prepare(db, mayCreate, schema);
  const past = isNew ? new Set<string>() : await migrationsOf(db, schema);
  const later = await laterMigrations(db, past);
  // the migrator would look at every column of every table
  const isCurrent = Object.keys(migrations).every((name) => past.has(name));
  if (!isCurrent) await runMissing(db, later, schema);
  if (later.length === 0) await leaveMark(db);
  else onNotice({ message: "the database is of a newer version of Parley", migrations: later });
}

async function runMissing(
  db: Kysely<unknown>,
  later: readonly string[],
  schema: string | undefined,
): Promise<void> {
  const migrator = new Migrator({
    db,
    // those of a newer version are known to have run
    provider: {
      getMigrations: async () => ({ ...migrations, ...Object.fromEntries(later.map(done)) }),
    },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: LOCK_TABLE,
    ...(schema !== undefined && { migrationTableSchema: schema }),
    disableTransactions: true,
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw new Error(explain(error), { cause: error });
}

function done(name: string) {
  return [name, { up: async () => undefined }] as const;
}

function explain(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (!text.includes("corrupted migrations")) return `migration failed: ${text}`;
  return `the database was written by another version of Parley, use that or a newer one: ${text}`;
}

/**
 * Takes over what an older version has written, and refuses tables of other programs. Returns whether
 * there is nothing yet.
 */
async function prepare(
  db: Kysely<unknown>,
  mayCreate: boolean,
  schema: string | undefined,
): Promise<boolean> {
  const present = await tablesIn(db, schema);
  if (present.has(MIGRATION_TABLE)) return false;
  if (present.has(OLD_TABLE) && (await isOurs(db, present))) {
    await takeOver(db);
    return false;
  }
  if (!mayCreate) throw new NoDatabaseError();
  const taken = FIRST_TABLES.find((name) => present.has(name));
  if (taken === undefined) return true;
  const place = schema === undefined ? "the database" : `the schema "${schema}"`;
  throw new Error(
    `${place} has a table "${taken}" that is not Parley's: give Parley a database or a schema of its own`,
  );
}

interface Named {
  readonly name: string;
}

/** Tables and views: of either there may be another program's. */
async function tablesIn(
  db: Kysely<unknown>,
  schema: string | undefined,
): Promise<ReadonlySet<string>> {
  const inFile = sql<Named>`select name from sqlite_schema where type in ('table', 'view')`;
  const inSchema = sql<Named>`select relname as name from pg_catalog.pg_class
    where relnamespace = (select oid from pg_catalog.pg_namespace where nspname = ${schema})
    and relkind in ('r', 'p', 'v', 'm', 'f')`;
  const { rows } = await (schema === undefined ? inFile : inSchema).execute(db);
  return new Set(rows.map(({ name }) => name));
}

/** Another program's migrations have other names, and it has not our tables. */
async function isOurs(db: Kysely<unknown>, present: ReadonlySet<string>): Promise<boolean> {
  const { rows } = await sql<Named>`select name from ${sql.table(OLD_TABLE)}`.execute(db);
  const first = Object.keys(migrations).toSorted()[0];
  return rows.some(({ name }) => name === first) && present.has("quota_use");
}

/** Copied rather than renamed: constraints and indexes would keep the names that others need. */
async function takeOver(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable(MIGRATION_TABLE)
    .addColumn("name", "varchar(255)", (column) => column.notNull().primaryKey())
    .addColumn("timestamp", "varchar(255)", (column) => column.notNull())
    .execute();
  await sql`insert into ${sql.table(MIGRATION_TABLE)} select name, timestamp from ${sql.table(OLD_TABLE)}`.execute(
    db,
  );
  for (const old of [OLD_TABLE, OLD_LOCK_TABLE])
    await db.schema.dropTable(old).ifExists().execute();
}
