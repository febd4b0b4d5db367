import type { Kysely } from "kysely";
import { sql } from "kysely";

/** Tokens, quotas, prices and the ledger. A released migration is never edited. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createTokens(db);
  await createQuotas(db);
  await createLedger(db);
  await db.schema
    .createTable("prices")
    .addColumn("model", "text", (column) => column.notNull())
    .addColumn("since", "bigint", (column) => column.notNull())
    .addColumn("input", "text", (column) => column.notNull())
    .addColumn("cached_input", "text")
    .addColumn("output", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("prices_key", ["model", "since"])
    .execute();
}

async function createTokens(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("tokens")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("comment", "text", (column) => column.notNull())
    .addColumn("digest", "text", (column) => column.notNull().unique())
    .addColumn("hint", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint")
    .addColumn("revoked_at", "bigint")
    .addColumn("models", "text")
    .addColumn("limits", "text", (column) => column.notNull())
    .addColumn("quotas", "text", (column) => column.notNull())
    .addColumn("upstream_key", "text")
    .execute();
}

async function createQuotas(db: Kysely<unknown>): Promise<void> {
  let table = db.schema
    .createTable("quota_use")
    .addColumn("token_id", "text", (column) => column.primaryKey());
  for (const period of ["day", "month"]) {
    table = table.addColumn(period, "bigint", (column) => column.notNull());
    for (const kind of ["requests", "tokens", "money"]) {
      const name = `${period}_${kind}`;
      table = table.addColumn(name, "bigint", (column) =>
        column
          .notNull()
          .defaultTo(0)
          .check(sql`${sql.ref(name)} >= 0`),
      );
    }
  }
  await table.execute();
  await db.schema
    .createTable("reservations")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("owner", "text", (column) => column.notNull())
    .addColumn("token_id", "text", (column) => column.notNull())
    .addColumn("at", "bigint", (column) => column.notNull())
    .addColumn("day", "bigint", (column) => column.notNull())
    .addColumn("month", "bigint", (column) => column.notNull())
    .addColumn("tokens", "bigint", (column) => column.notNull())
    .addColumn("money", "bigint", (column) => column.notNull())
    .addColumn("request_id", "text", (column) => column.notNull())
    .addColumn("dialect", "text", (column) => column.notNull())
    .addColumn("model", "text", (column) => column.notNull())
    .addColumn("on_disconnect", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("owners")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("instance", "text")
    .addColumn("started_at", "bigint", (column) => column.notNull())
    .addColumn("seen_at", "bigint", (column) => column.notNull())
    .execute();
}

async function createLedger(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("ledger")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("request_id", "text", (column) => column.notNull())
    .addColumn("at", "bigint", (column) => column.notNull())
    .addColumn("payer_kind", "text", (column) => column.notNull())
    .addColumn("token_id", "text")
    .addColumn("key_digest", "text")
    .addColumn("dialect", "text", (column) => column.notNull())
    .addColumn("model", "text", (column) => column.notNull())
    .addColumn("answered_by", "text")
    .addColumn("prompt_tokens", "bigint")
    .addColumn("completion_tokens", "bigint")
    .addColumn("cached_tokens", "bigint")
    .addColumn("total_tokens", "bigint")
    .addColumn("price", "text")
    .addColumn("cost", "bigint")
    .addColumn("provenance", "text", (column) => column.notNull())
    .addColumn("outcome", "text", (column) => column.notNull())
    .addColumn("on_disconnect", "text", (column) => column.notNull())
    .addColumn("status", "integer")
    .addColumn("error", "text")
    .addColumn("first_token_ms", "bigint")
    .addColumn("duration_ms", "bigint")
    .addColumn("upstream_id", "text")
    .execute();
  await db.schema.createIndex("ledger_at").on("ledger").columns(["at"]).execute();
  // Most rows are those of visitors, who have no token: they cost nothing in this index.
  await db.schema
    .createIndex("ledger_token_at")
    .on("ledger")
    .columns(["token_id", "at"])
    .where(sql.ref("token_id"), "is not", null)
    .execute();
}
