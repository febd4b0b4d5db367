import { Kysely, PostgresDialect } from "kysely";
import { Migrator } from "kysely/migration";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Token } from "../../../src/core/accounts/accounts.ts";
import { migrations } from "../../../src/storage/migrations/all.ts";
import { entry, perDay, tokenEntry, wish } from "../support/calls.ts";
import { createBareDatabase, type TestDatabase } from "../support/databases.ts";

const A_WHILE = { timeout: 20_000, interval: 50 };

/** Kysely under its usual names, as other programs use it, and as older versions of Parley did. */
async function migrateAs(
  client: pg.Client,
  names: readonly string[],
  schema: string,
  up: (db: Kysely<unknown>, name: string) => Promise<void> = async () => undefined,
) {
  await client.query(`SET search_path TO ${schema}`);
  const lent = { query: client.query.bind(client), release: () => undefined };
  const pool = { options: {}, connect: async () => lent, end: async () => undefined };
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const entries = names.map((name) => [name, { up: () => up(db, name) }]);
  const provider = { getMigrations: async () => Object.fromEntries(entries) };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  await client.query("RESET search_path");
  expect(error).toBeUndefined();
}

const runOurs = async (db: Kysely<unknown>, name: string) => {
  await migrations[name]?.up(db);
};

describe("a PostgreSQL database that others use, too", () => {
  let database: TestDatabase;
  let client: pg.Client;
  let url: URL;
  beforeEach(async () => {
    database = await createBareDatabase("postgres");
    url = new URL(database.place.databaseUrl ?? "");
    client = new pg.Client({ connectionString: url.href });
    await client.connect();
  });
  afterEach(async () => {
    await client.end();
    await database.drop();
  });

  const inSchema = (path: string) => {
    const there = new URL(url);
    there.searchParams.set("options", `-csearch_path=${path}`);
    return { databaseUrl: there.href };
  };
  const column = async (text: string) => (await client.query(text)).rows.map(({ name }) => name);
  const tablesIn = (schema: string) =>
    column(`SELECT tablename AS name FROM pg_tables WHERE schemaname = '${schema}'`);
  /** A role without a right in a schema; it goes with the database's owner rights. */
  const withRole = async (work: (role: string, there: string) => Promise<void>) => {
    const role = `parley_role_${crypto.randomUUID().slice(0, 8)}`;
    await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    const there = new URL(url);
    there.username = role;
    there.password = "secret";
    try {
      await work(role, there.href);
    } finally {
      await client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  };

  test.each(["otherapp", "public"])(
    "another program's migrations in %s stay as they are",
    async (schema) => {
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
      await migrateAs(client, ["2024-theirs", "2025-theirs"], schema);
      const storage = await database.open();
      await storage.ledger.settle(entry(), null);
      const theirs = `SELECT name FROM ${schema}.kysely_migration ORDER BY name`;
      expect(await column(theirs)).toEqual(["2024-theirs", "2025-theirs"]);
      await (await database.open()).close();
    },
  );

  test("a strict default for transactions refuses no call, and short sessions are no error", async () => {
    const name = url.pathname.slice(1);
    await client.query(`ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`);
    await client.query(`ALTER DATABASE ${name} SET idle_session_timeout = '200ms'`);
    const errors: Error[] = [];
    const storage = await database.open({
      heartbeatMs: 3_600_000,
      onError: (error) => errors.push(error),
    });
    const quotas = perDay({ requests: 1_000 });
    const tokens = await Promise.all(
      ["a", "b", "c", "d"].map(
        async (name) => (await storage.tokens.create({ name, quotas })).token,
      ),
    );
    const call = async (token: Token) => {
      const result = await storage.ledger.reserve(wish(token));
      if (!result.admitted) throw new Error("not admitted");
      await storage.ledger.settle(tokenEntry(token), result.reservation);
    };
    const many = Array.from({ length: 60 }, () => tokens).flat();
    await Promise.all(many.map(call));
    expect(storage.problem()).toBeNull();
    const sessions = `SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    await client.query("SET idle_session_timeout = 0");
    await vi.waitFor(async () => expect((await client.query(sessions)).rowCount).toBe(0), A_WHILE);
    await storage.ping();
    expect(errors).toEqual([]);
  });

  test("another encoding than UTF-8 is refused, which would lose what people write", async () => {
    const name = `${url.pathname.slice(1)}_latin`;
    await client.query(`CREATE DATABASE ${name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`);
    const there = new URL(url);
    there.pathname = name;
    const opening = database.open({ databaseUrl: there.href });
    await expect(opening).rejects.toThrow("the encoding LATIN1");
    await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
  });

  test("each schema may have a Parley of its own, whatever its name", async () => {
    const names = ["first", 'odd "Name"'];
    for (const name of names) {
      await client.query(`CREATE SCHEMA "${name.replaceAll('"', '""')}"`);
      const path = `"${name.replaceAll('"', '""')}",public`.replaceAll(" ", "\\ ");
      const storage = await database.open(inSchema(path));
      await storage.tokens.create({ name });
    }
    const plain = await database.open();
    expect(await plain.tokens.list()).toEqual([]);
    for (const name of names) {
      expect(await column(`SELECT name FROM "${name.replaceAll('"', '""')}".tokens`)).toEqual([
        name,
      ]);
    }
  });

  test("a database of an older version is taken over, and nothing of it is left", async () => {
    const names = Object.keys(migrations);
    await migrateAs(client, names.slice(0, 2), "public", runOurs);
    const open = await Promise.all([database.open(), database.open()]);
    await open[0].ledger.settle(entry(), null);
    expect(await column("SELECT name FROM parley_migration ORDER BY name")).toEqual(names);
    expect((await tablesIn("public")).filter((name) => name.startsWith("kysely"))).toEqual([]);
    await migrateAs(client, ["2024-theirs"], "public");
    await (await database.open()).close();
  });

  test.each(["TABLE tokens (id text)", "VIEW ledger AS SELECT 1 AS id"])(
    "what is in the way is named: %s",
    async (thing) => {
      await client.query(`CREATE ${thing}`);
      const name = thing.split(" ")[1];
      await expect(database.open()).rejects.toThrow(`schema "public" has a table "${name}"`);
      await client.query("CREATE SCHEMA own");
      await (await database.open(inSchema("own,public"))).close();
    },
  );

  test("an index in the way is named, too", async () => {
    await client.query("CREATE TABLE theirs (at int); CREATE INDEX ledger_at ON theirs (at)");
    await expect(database.open()).rejects.toThrow(
      'relation "ledger_at" already exists: give Parley a database or a schema of its own',
    );
  });

  test("a lock that outlasts the wait is told as such", async () => {
    await client.query("SELECT pg_advisory_lock(7236524017)");
    const opened = expect(database.open()).rejects.toThrow("another session held a lock");
    const cancel = `SELECT pg_cancel_backend(pid) AS name FROM pg_stat_activity
      WHERE wait_event = 'advisory' AND datname = current_database()`;
    await vi.waitFor(async () => expect(await column(cancel)).toEqual([true]), A_WHILE);
    await opened;
  });

  test("a role that may not create tables is told the GRANT, which mends it", async () => {
    await client.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    await withRole(async (role, databaseUrl) => {
      const grant = `GRANT USAGE, CREATE ON SCHEMA "public" TO "${role}"`;
      await expect(database.open({ databaseUrl })).rejects.toThrow(
        `permission denied for schema public: run ${grant}`,
      );
      await client.query(grant);
      const storage = await database.open({ databaseUrl });
      await storage.close();
    });
  });

  test("a role that may not use the tables is told so, too", async () => {
    await (await database.open()).close();
    await withRole(async (role, databaseUrl) => {
      await client.query(`GRANT CREATE ON SCHEMA public TO ${role}`);
      await expect(database.open({ databaseUrl })).rejects.toThrow(
        /permission denied for table parley_migration.*GRANT SELECT/,
      );
    });
  });

  test("a search path without a schema is told as such", async () => {
    await expect(database.open(inSchema("nowhere"))).rejects.toThrow(
      /no schema of the search path \(nowhere\) exists.*CREATE SCHEMA/,
    );
  });
});
