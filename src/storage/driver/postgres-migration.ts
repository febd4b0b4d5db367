import { setTimeout as sleep } from "node:timers/promises";
import { Kysely, PostgresAdapter, PostgresDialect } from "kysely";
import pg from "pg";
import { type MigrateOptions, migrate } from "./migrate.ts";
import { codeOf, explained, placeOf, within } from "./postgres-place.ts";
import { MAX_START_WAIT_MS, type StartWait } from "./start-wait.ts";

const CONNECT_TIMEOUT_MS = 1_000;
/** Includes the wait for another process that migrates. */
const MIGRATION_TIMEOUT_MS = MAX_START_WAIT_MS;
/** After the server's own limit; a server that hangs doesn't keep it. */
const ANSWER_TIMEOUT_MS = MIGRATION_TIMEOUT_MS + 5_000;
/** For what needs no lock: a server that hangs is noticed soon. */
const FIRST_ANSWER_MS = 5_000;
/**
 * A change of a table waits for everyone who uses it, and everyone who comes later waits behind it. So
 * it gives way after this, which a call has time for, and is tried again.
 */
const TABLE_WAIT_MS = 500;
/** Those who waited get their turn. */
const PAUSE_MS = 500;
/** Any number that is the same in every version. */
const MIGRATION_LOCK = 7_236_524_017n;
const IN_FAILED_TRANSACTION = "25P02";
const LOCK_NOT_AVAILABLE = "55P03";

/** On a connection of its own, with the longer time-outs that creating tables needs. */
export async function migratePostgres(
  connection: pg.ClientConfig,
  options: MigrateOptions & { readonly onError: (error: Error) => void },
  wait: StartWait,
): Promise<void> {
  const client = await wait.run(() => connected(connection, options.onError));
  try {
    // Locks and limits end with the transaction, so they work behind a pooler, too.
    const begin = `BEGIN; SET LOCAL statement_timeout = ${MIGRATION_TIMEOUT_MS}`;
    for (;;) {
      await client.query(within(FIRST_ANSWER_MS, begin));
      const blocked = await migrateOn(client, options, wait);
      if (blocked === null) break;
      await client.query("ROLLBACK");
      if (wait.isOver()) throw blocked;
      wait.tell("other sessions use the tables that it changes");
      await sleep(PAUSE_MS);
    }
    await client.query("COMMIT");
  } finally {
    // Ending the connection rolls back what was not committed.
    await client.end();
  }
}

async function connected(
  connection: pg.ClientConfig,
  onError: (error: Error) => void,
): Promise<pg.Client> {
  const client = new pg.Client({
    ...connection,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
  });
  client.on("error", onError);
  await client.connect();
  return client;
}

/** Returns the error if a table was in use, and then has to be repeated. */
async function migrateOn(
  client: pg.Client,
  options: MigrateOptions,
  wait: StartWait,
): Promise<Error | null> {
  const place = await placeOf(client, FIRST_ANSWER_MS);
  let first: unknown = null;
  const recorded = async (text: string, values?: unknown[]) => {
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
    await lock(recorded, wait);
    await recorded(`SET LOCAL lock_timeout = ${TABLE_WAIT_MS}`);
    const kysely = new Kysely<unknown>({ dialect: new MigrationDialect({ pool }) });
    await migrate(kysely, options, place.schema);
    return null;
  } catch (error) {
    if (!(first instanceof Error)) throw error;
    const told = explained(first, place);
    if (codeOf(first) !== LOCK_NOT_AVAILABLE) throw told;
    return told;
  }
}

/** One process migrates; the others wait until it has. */
async function lock(
  query: (text: string, values: unknown[]) => Promise<pg.QueryResult>,
  wait: StartWait,
): Promise<void> {
  const { rows } = await query("SELECT pg_try_advisory_xact_lock($1) AS taken", [MIGRATION_LOCK]);
  if (rows[0]?.taken === true) return;
  wait.tell("another process changes its tables");
  await query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
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
