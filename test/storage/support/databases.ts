import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { describe, inject } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { openStorage, type Storage, type StorageOptions } from "../../../src/storage/open.ts";
import { putMigrated } from "../../support/migrated.ts";

export type Kind = "sqlite" | "postgres";

/** A database of its own for one test. */
export interface TestDatabase {
  readonly kind: Kind;
  /** For `openStorage`, also in another process. */
  readonly place: Pick<StorageOptions, "databaseUrl" | "sqliteFile">;
  open(options?: Partial<StorageOptions>): Promise<Storage>;
  /** Closes what was opened and empties every table: quicker than a new database. */
  empty(): Promise<void>;
  drop(): Promise<void>;
}

export const kinds: readonly Kind[] = ["sqlite", "postgres"];

/** How often a process is killed: few in every run, ROUNDS=100 now and then. */
export const rounds = Number(process.env.ROUNDS ?? 8);

/** One suite, run on every database. */
export function eachDatabase(title: string, suite: (kind: Kind) => void): void {
  for (const kind of kinds) describe(`${title} on ${kind}`, () => suite(kind));
}

/** With all tables, and nothing in them. */
export async function createDatabase(kind: Kind): Promise<TestDatabase> {
  return createAt(kind, await (kind === "sqlite" ? sqlitePlace : postgresPlace)(true));
}

/** As it is before a first start: without tables. */
export async function createBareDatabase(kind: Kind): Promise<TestDatabase> {
  return createAt(kind, await (kind === "sqlite" ? sqlitePlace : postgresPlace)(false));
}

function createAt(kind: Kind, { place, drop }: Place): TestDatabase {
  const opened: Storage[] = [];
  const closeAll = async () => {
    // Some tests close their own.
    for (const storage of opened.splice(0)) await storage.close().catch(() => undefined);
  };
  return {
    kind,
    place,
    open: async (options = {}) => {
      // A clock that a test brings is the database's, too.
      const time = { clock: systemClock, bringsTime: options.clock !== undefined };
      const storage = await openStorage({ ...time, ...place, ...options });
      opened.push(storage);
      return storage;
    },
    empty: async () => {
      await closeAll();
      if (place.databaseUrl !== undefined) {
        await onServer(place.databaseUrl, `TRUNCATE ${tables.join()}`);
      } else if (place.sqliteFile !== undefined && existsSync(place.sqliteFile)) {
        const file = new DatabaseSync(place.sqliteFile);
        for (const table of tables) file.exec(`DELETE FROM ${table}`);
        file.close();
      }
    },
    drop: async () => {
      await closeAll();
      await drop();
    },
  };
}

const tables = [
  ...["tokens", "quota_use", "reservations", "owners", "ledger", "prices"],
  ...["background_answers", "turns", "conversations", "conversation_counts", "settings"],
  ...["conversation_rooms", "accepted_owners", "token_secrets", "upstreams", "routes"],
  ...["token_groups", "stored_objects", "alerts", "token_networks"],
  ...["call_counts", "told_alerts", "changes"],
];

interface Place {
  readonly place: { readonly sqliteFile?: string; readonly databaseUrl?: string };
  readonly drop: () => Promise<void>;
}

async function sqlitePlace(migrated: boolean): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "parley-storage-"));
  const sqliteFile = join(folder, "parley.sqlite");
  if (migrated) await putMigrated(sqliteFile);
  return {
    place: { sqliteFile },
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function postgresPlace(migrated: boolean): Promise<Place> {
  const server = inject("postgresUrl");
  const name = `parley_${crypto.randomUUID().replaceAll("-", "")}`;
  // No test outlives its server, so none has to wait for the disk.
  const quick = `ALTER DATABASE ${name} SET synchronous_commit TO off`;
  const template = migrated ? ` TEMPLATE ${inject("postgresTemplate")}` : "";
  await onServer(server, `CREATE DATABASE ${name}${template}`, quick);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    place: { databaseUrl: url.href },
    drop: () => onServer(server, `DROP DATABASE ${name} WITH (FORCE)`),
  };
}

async function onServer(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => undefined);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
