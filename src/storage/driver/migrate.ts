import { type Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { migrations } from "../migrations/all.ts";
import { NoDatabaseError } from "./access.ts";
import type { Tables } from "./schema.ts";

/** Names of our own: other programs that use Kysely keep theirs in tables of the usual names. */
const TABLE = "parley_migration";
const LOCK_TABLE = "parley_migration_lock";
/** Where versions before these names kept theirs. */
const OLD_TABLE = "kysely_migration";
const OLD_LOCK_TABLE = "kysely_migration_lock";

/** What the first migrations create. Under these names there may be another program's. */
const FIRST_TABLES = [
  ...["tokens", "quota_use", "reservations", "owners", "ledger", "prices"],
  ...["turns", "conversations", "conversation_counts", "settings"],
] as const satisfies readonly (keyof Tables)[];

/**
 * Brings the tables up to date. The caller has opened one exclusive transaction, so of several
 * processes that start one migrates and the others wait, and a killed one leaves nothing. In
 * PostgreSQL only the schema is looked at.
 */
export async function migrate(
  db: Kysely<unknown>,
  mayCreate: boolean,
  schema?: string,
): Promise<void> {
  await prepare(db, mayCreate, schema);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
    migrationTableName: TABLE,
    migrationLockTableName: LOCK_TABLE,
    ...(schema !== undefined && { migrationTableSchema: schema }),
    disableTransactions: true,
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw new Error(explain(error), { cause: error });
}

function explain(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (!text.includes("corrupted migrations")) return `migration failed: ${text}`;
  return `the database was written by another version of Parley, use that or a newer one: ${text}`;
}

/** Takes over what an older version has written, and refuses tables of other programs. */
async function prepare(
  db: Kysely<unknown>,
  mayCreate: boolean,
  schema: string | undefined,
): Promise<void> {
  const present = await tablesIn(db, schema);
  if (present.has(TABLE)) return;
  if (present.has(OLD_TABLE) && (await isOurs(db, present))) {
    await takeOver(db);
    return;
  }
  if (!mayCreate) throw new NoDatabaseError();
  const taken = FIRST_TABLES.find((name) => present.has(name));
  if (taken === undefined) return;
  const place = schema === undefined ? "the database" : `the schema "${schema}"`;
  throw new Error(
    `${place} has a table "${taken}" that is not Parley's: give Parley a database or a schema of its own`,
  );
}

async function tablesIn(
  db: Kysely<unknown>,
  schema: string | undefined,
): Promise<ReadonlySet<string>> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  return new Set(
    tables
      .filter((table) => schema === undefined || table.schema === schema)
      .map(({ name }) => name),
  );
}

/** Another program's migrations have other names, and it has not our tables. */
async function isOurs(db: Kysely<unknown>, present: ReadonlySet<string>): Promise<boolean> {
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(OLD_TABLE)}`.execute(
    db,
  );
  const first = Object.keys(migrations).toSorted()[0];
  return rows.some(({ name }) => name === first) && present.has("quota_use");
}

/** Copied rather than renamed: constraints and indexes would keep the names that others need. */
async function takeOver(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable(TABLE)
    .addColumn("name", "varchar(255)", (column) => column.notNull().primaryKey())
    .addColumn("timestamp", "varchar(255)", (column) => column.notNull())
    .execute();
  await sql`insert into ${sql.table(TABLE)} select name, timestamp from ${sql.table(OLD_TABLE)}`.execute(
    db,
  );
  for (const old of [OLD_TABLE, OLD_LOCK_TABLE])
    await db.schema.dropTable(old).ifExists().execute();
}
