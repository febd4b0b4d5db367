/** Instances of this release and of the one before are alive at once while a new one is rolled out. */
import { hash } from "node:crypto";
import {
  type Dialect,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteQueryCompiler,
} from "kysely";
import { expect, test } from "vitest";
import { migrations } from "../../../src/storage/migrations/all.ts";
import { eachDatabase } from "../support/databases.ts";
import { harms, shapeOf } from "../support/shape.ts";
import { migrateTo, query, withDatabase } from "../support/tables.ts";

/** Every migration of the last release, with a digest of its statements: added to at each release. */
const released: Readonly<Record<string, string>> = {
  "0001-accounts": "6ec532ee147e36c9",
  "0002-conversations": "2cd882a7e988dbe8",
  "0003-ledger-by-time": "41246d9fb3c7a435",
};
/** What newer migrations take away that the last release no longer used. */
const taken: readonly string[] = [];
const lastReleased = Object.keys(released).at(-1) ?? "";

const dialects: readonly Dialect[] = [
  {
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createDriver: () => new DummyDriver(),
    createIntrospector: () => ({}) as never, // no migration looks
  },
  {
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createDriver: () => new DummyDriver(),
    createIntrospector: () => ({}) as never,
  },
];

async function statementsOf(name: string): Promise<string> {
  const statements: string[] = [];
  for (const dialect of dialects) {
    const log = ({ query: { sql } }: { query: { readonly sql: string } }) => {
      statements.push(sql);
    };
    await migrations[name]?.up(new Kysely<unknown>({ dialect, log }));
  }
  return hash("sha256", statements.join(";\n")).slice(0, 16);
}

test("a released migration is what it was when it was released", async () => {
  const now: Record<string, string> = {};
  for (const name of Object.keys(released)) now[name] = await statementsOf(name);
  expect(now).toEqual(released);
});

test("a migration that takes something away names an earlier one that versions must know", () => {
  const names = Object.keys(migrations);
  expect(names).toEqual(names.toSorted());
  for (const [name, { needs }] of Object.entries(migrations)) {
    if (needs !== undefined) expect(names.slice(0, names.indexOf(name))).toContain(needs);
  }
});

eachDatabase("the tables of the last release", (kind) => {
  test("are all there after the newer migrations, and take what it writes", async () => {
    await withDatabase(kind, async (database) => {
      await migrateTo(lastReleased, database);
      const before = await shapeOf(database);
      expect(before.columns.length).toBeGreaterThan(50);
      await (await database.open()).close();
      expect(harms(before, await shapeOf(database))).toEqual(taken);
    });
  });

  test("are harmed by what a migration must not do, and by nothing else", async () => {
    await withDatabase(kind, async (database) => {
      await (await database.open()).close();
      const before = await shapeOf(database);
      const after = async (...statements: readonly string[]) => {
        for (const statement of statements) await query(database, statement);
        return harms(before, await shapeOf(database));
      };
      const good = [
        "CREATE TABLE extra (id text PRIMARY KEY, n bigint NOT NULL CHECK (n > 0))",
        "ALTER TABLE ledger ADD COLUMN note text",
        "ALTER TABLE tokens ADD COLUMN tries bigint NOT NULL DEFAULT 0",
        "CREATE UNIQUE INDEX tokens_tries ON tokens (tries) WHERE tries > 0",
        "CREATE INDEX ledger_model ON ledger (model)",
      ];
      expect(await after(...good)).toEqual([]);
      const unique = await after("CREATE UNIQUE INDEX tokens_name ON tokens (name)");
      expect(unique).toEqual([expect.stringContaining("new tokens: CREATE UNIQUE INDEX")]);
      await query(database, "DROP INDEX tokens_name");
      expect(await after("ALTER TABLE tokens RENAME COLUMN hint TO tail")).toEqual([
        "tokens.hint is gone",
        "tokens.tail must be given",
      ]);
      expect(await after("ALTER TABLE tokens DROP COLUMN tail", "DROP TABLE prices")).toEqual(
        expect.arrayContaining(["tokens.hint is gone", "prices.model is gone"]),
      );
    });
  });
});
