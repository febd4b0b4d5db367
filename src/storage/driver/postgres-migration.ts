import { Kysely, PostgresAdapter, PostgresDialect } from "kysely";
import pg from "pg";
import { migrate } from "./migrate.ts";

const CONNECT_TIMEOUT_MS = 1_000;
/** Includes the wait for another process that migrates. */
const MIGRATION_TIMEOUT_MS = 60_000;
/** After the server's own limit; a server that hangs doesn't keep it. */
const ANSWER_TIMEOUT_MS = MIGRATION_TIMEOUT_MS + 5_000;
/** For what needs no lock: a server that hangs is noticed soon. */
const FIRST_ANSWER_MS = 5_000;
/** Any number that is the same in every version. */
const MIGRATION_LOCK = 7_236_524_017n;
const IN_FAILED_TRANSACTION = "25P02";
const NO_PERMISSION = "42501";
const CANCELED = "57014";
/** Those that keep every text as it is. */
const ENCODINGS = ["UTF8", "SQL_ASCII"];
/** A table, index or constraint of that name. */
const NAMES_TAKEN = ["42P07", "42710"];

/** On a connection of its own, with the longer time-outs that creating tables needs. */
export async function migratePostgres(
  connection: pg.ClientConfig,
  mayCreate: boolean,
  onError: (error: Error) => void,
): Promise<void> {
  const client = new pg.Client({
    ...connection,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
  });
  client.on("error", onError);
  await client.connect();
  try {
    // Locks and limits end with the transaction, so they work behind a pooler, too.
    const begin = `BEGIN; SET LOCAL statement_timeout = ${MIGRATION_TIMEOUT_MS}`;
    await client.query(soon(begin));
    await migrateOn(client, mayCreate);
    await client.query("COMMIT");
  } finally {
    // Ending the connection rolls back what was not committed.
    await client.end();
  }
}

interface Place {
  readonly schema: string | null;
  readonly role: string;
  readonly path: string;
  readonly mayCreate: boolean | null;
  readonly encoding: string;
}

async function migrateOn(client: pg.Client, mayCreate: boolean): Promise<void> {
  const place = await placeOf(client);
  const { schema, path, role, encoding } = place;
  if (!ENCODINGS.includes(encoding)) {
    throw new Error(
      `the database has the encoding ${encoding}, which can't hold every text: create one with ENCODING 'UTF8' TEMPLATE template0`,
    );
  }
  if (schema === null) {
    throw new Error(
      `no schema of the search path (${path}) exists for the role "${role}": create one, as CREATE SCHEMA AUTHORIZATION ${quoted(role)}`,
    );
  }
  let first: unknown = null;
  const recorded = async (text: string, values: unknown[]) => {
    try {
      return await client.query(text, values);
    } catch (error) {
      // After it, every other query fails because of the transaction, which says nothing.
      if (codeOf(error) !== IN_FAILED_TRANSACTION) first ??= error;
      throw error;
    }
  };
  // Cast: Kysely calls it with a text and its values only.
  const lent = { query: recorded as typeof client.query, release: () => undefined };
  const pool = { options: {}, connect: async () => lent, end: async () => undefined };
  try {
    await recorded("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    const kysely = new Kysely<unknown>({ dialect: new MigrationDialect({ pool }) });
    await migrate(kysely, mayCreate, schema);
  } catch (error) {
    throw first instanceof Error ? explained(first, place) : error;
  }
}

/** Kysely's own lock belongs to the session, which a pooler lends to others; ours is held already. */
class MigrationDialect extends PostgresDialect {
  override createAdapter() {
    return new LockedAdapter();
  }
}

class LockedAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

async function placeOf(client: pg.Client): Promise<Place> {
  const text = `SELECT current_schema() AS schema, current_user AS role, current_setting('search_path') AS path,
    has_schema_privilege(current_schema(), 'CREATE') AS "mayCreate",
    current_setting('server_encoding') AS encoding`;
  const { rows } = await client.query<Place>(soon(text));
  const [place] = rows;
  if (place === undefined) throw new Error("the database does not say where it is");
  return place;
}

/** The driver's types don't know the limit of one query. */
function soon(text: string): { readonly text: string } {
  const query = { text, query_timeout: FIRST_ANSWER_MS };
  return query;
}

function explained(cause: Error, place: Place): Error {
  return new Error(explain(cause, place), { cause });
}

function explain(error: Error, { schema, role, mayCreate }: Place): string {
  const failed = `migration failed: ${error.message}`;
  const code = codeOf(error);
  if (code === CANCELED) {
    return `${failed}: another session held a lock for ${MIGRATION_TIMEOUT_MS / 1_000} s, as a backup does; start again when it has ended`;
  }
  if (NAMES_TAKEN.includes(code ?? "")) {
    return `${failed}: give Parley a database or a schema of its own`;
  }
  if (code !== NO_PERMISSION) return failed;
  const there = `SCHEMA ${quoted(schema ?? "")} TO ${quoted(role)}`;
  return mayCreate
    ? `${failed}: the tables must belong to the role, or GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN ${there}`
    : `${failed}: run GRANT USAGE, CREATE ON ${there}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
