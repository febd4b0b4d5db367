import type { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import { migrations } from "../migrations/all.ts";

/**
 * Brings the tables up to date. The caller has opened one exclusive transaction, so of several
 * processes that start one migrates and the others wait, and a killed one leaves nothing.
 */
export async function migrate(db: Kysely<unknown>): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
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
