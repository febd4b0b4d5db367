import pg from "pg";

/** Where the tables of a connection are, and what its role may do there. */
export interface Place {
  /** The first schema of the search path that exists. */
  readonly schema: string;
  readonly role: string;
  readonly mayCreate: boolean | null;
}

interface FoundPlace extends Omit<Place, "schema"> {
  readonly schema: string | null;
  readonly path: string;
  readonly encoding: string;
}

const NO_PERMISSION = "42501";
/** The statement was canceled, or a lock was not had in time. */
const WAITED = ["57014", "55P03"];
/** Those that keep every text as it is. */
const ENCODINGS = ["UTF8", "SQL_ASCII"];
/** A table, index or constraint of that name. */
const NAMES_TAKEN = ["42P07", "42710"];

/** Throws, for the operator, if nothing can be kept there. The answer has `timeoutMs`. */
export async function placeOf(client: pg.Client, timeoutMs: number): Promise<Place> {
  const text = `SELECT current_schema() AS schema, current_user AS role, current_setting('search_path') AS path,
    has_schema_privilege(current_schema(), 'CREATE') AS "mayCreate",
    current_setting('server_encoding') AS encoding`;
  const { rows } = await client.query<FoundPlace>(within(timeoutMs, text));
  const [place] = rows;
  if (place === undefined) throw new Error("the database does not say where it is");
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
  return { ...place, schema };
}

/** The driver's types don't know the limit of one query. */
export function within(timeoutMs: number, text: string): { readonly text: string } {
  const query = { text, query_timeout: timeoutMs };
  return query;
}

/** Why a migration failed, with what the operator can do. */
export function explained(cause: Error, place: Place): Error {
  return new Error(explain(cause, place), { cause });
}

function explain(error: Error, { schema, role, mayCreate }: Place): string {
  const failed = `migration failed: ${error.message}`;
  const code = codeOf(error) ?? "";
  if (WAITED.includes(code)) {
    return `${failed}: another session held a lock all the while, as a backup does; start again when it has ended`;
  }
  if (NAMES_TAKEN.includes(code)) {
    return `${failed}: give Parley a database or a schema of its own`;
  }
  if (code !== NO_PERMISSION) return failed;
  const there = `SCHEMA ${quoted(schema)} TO ${quoted(role)}`;
  return mayCreate
    ? `${failed}: the tables must belong to the role, or GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN ${there}`
    : `${failed}: run GRANT USAGE, CREATE ON ${there}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** PostgreSQL's own code. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
