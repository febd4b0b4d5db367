import { type Kysely, sql } from "kysely";
import { migrations } from "../migrations/all.ts";

export const MIGRATION_TABLE = "parley_migration";
/** The setting with the newest migration that a version must know to serve the database. */
const MARK = "needs_migration";
/** The newest one of the version that first left a mark. */
const FIRST_MARK = "0007-conversation-rooms";

/** The migrations that the database has had. */
export async function migrationsOf(
  db: Kysely<unknown>,
  schema: string | undefined,
): Promise<ReadonlySet<string>> {
  const history = schema === undefined ? sql.id(MIGRATION_TABLE) : sql.id(schema, MIGRATION_TABLE);
  const { rows } = await sql<{ name: string }>`select name from ${history} order by name`.execute(
    db,
  );
  return new Set(rows.map(({ name }) => name));
}

/**
 * Those among them that are of a newer version. Throws, for the operator, if this version can't serve
 * the database any more: then something it needs may be gone. So instances of two versions can be
 * alive at once, also those that start later than the newer ones.
 */
export async function laterMigrations(
  db: Kysely<unknown>,
  past: ReadonlySet<string>,
): Promise<readonly string[]> {
  const later = [...past].filter((name) => !(name in migrations));
  if (later.length === 0) return later;
  const mark = await markOf(db);
  if (mark !== null && mark in migrations) return later;
  throw new Error(
    `the database was written by another version of Parley, use that or a newer one: it has had ${later.join(", ")}`,
  );
}

/** Leaves word for older versions. For the version whose migrations are the newest. */
export async function leaveMark(db: Kysely<unknown>): Promise<void> {
  const needed = Object.values(migrations).flatMap(({ needs = [] }) => needs);
  const mark = needed.toSorted().at(-1) ?? FIRST_MARK;
  if ((await markOf(db)) === mark) return;
  await sql`insert into settings (name, value) values (${MARK}, ${mark})
    on conflict (name) do update set value = excluded.value`.execute(db);
}

async function markOf(db: Kysely<unknown>): Promise<string | null> {
  const { rows } = await sql<{
    value: string;
  }>`select value from settings where name = ${MARK}`.execute(db);
  return rows[0]?.value ?? null;
}
