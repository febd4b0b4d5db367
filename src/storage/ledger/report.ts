import { setImmediate } from "node:timers/promises";
import { type CompiledQuery, type SelectQueryBuilder, sql } from "kysely";
import type {
  LedgerQuery,
  LedgerRow,
  LedgerSum,
  PageQuery,
  WeekRow,
} from "../../core/accounts/accounts.ts";
import { formatMoney } from "../../core/accounts/money.ts";
import { periodKey } from "../../core/accounts/quota.ts";
import type { Driver } from "../driver/driver.ts";
import { type Builder, exactText } from "../driver/queries.ts";
import type { Tables } from "../driver/schema.ts";
import { isStorable } from "../driver/text.ts";
import { ledgerRow, rowColumns, type StoredRow } from "./row.ts";

const maxRows = 1_000;
const weekMs = 7 * 86_400_000;
const maxWeekRows = 10_000;
const dayMs = 86_400_000;
/** Rows deleted in one transaction: short enough that a call does not notice. */
const purgeRows = 2_000;

type Filtered<O> = SelectQueryBuilder<Tables, "ledger", O>;

export function createReport(driver: Driver, builder: Builder) {
  const page = pageReader(driver, builder);
  return {
    rows: (query: PageQuery = {}) => page(query, "desc", query.before ?? null, query.limit),
    sums: sumReader(driver, builder),
    week: weekReader(driver, builder),
    async *export(query: LedgerQuery = {}): AsyncGenerator<LedgerRow> {
      let last: LedgerRow | null = null;
      for (;;) {
        const rows = await page(query, "asc", last, maxRows);
        yield* rows;
        last = rows.at(-1) ?? null;
        if (rows.length < maxRows) return;
      }
    },
    async purge(before: number): Promise<number> {
      const old = builder
        .selectFrom("ledger")
        .select(["at", "id"])
        .where("at", "<", before)
        .orderBy("at")
        .limit(purgeRows);
      const remove = builder
        .deleteFrom("ledger")
        .where(sql<boolean>`(at, id) in ${old}`)
        .returning("id")
        .compile();
      for (let purged = 0; ; ) {
        const rows = await driver.report(remove);
        purged += rows.length;
        if (rows.length < purgeRows) return purged;
        // SQLite answers at once: without this, calls would wait until all is gone.
        await setImmediate();
      }
    },
  };
}

function pageReader(driver: Driver, builder: Builder) {
  return async (
    query: LedgerQuery,
    direction: "asc" | "desc",
    from: Pick<LedgerRow, "at" | "id"> | null,
    limit = maxRows,
  ): Promise<readonly LedgerRow[]> => {
    let rows = filtered(builder.selectFrom("ledger"), beyondCursor(query, direction, from))
      .select(rowColumns)
      .select(exactText("cost").as("cost"));
    if (from !== null) {
      const beyond = sql.raw(direction === "asc" ? ">" : "<");
      rows = rows.where(sql<boolean>`(at, id) ${beyond} (${from.at}, ${from.id})`);
    }
    const compiled: CompiledQuery<StoredRow> = rows
      .orderBy("at", direction)
      .orderBy("id", direction)
      .limit(bounded(limit))
      .compile();
    return (await driver.report(compiled)).map(ledgerRow);
  };
}

/**
 * The page begins where the last one ended. Said of `at` too: SQLite would take the query's own
 * bound for the index and read all earlier pages again.
 */
function beyondCursor(
  query: LedgerQuery,
  direction: "asc" | "desc",
  cursor: Pick<LedgerRow, "at"> | null,
): LedgerQuery {
  if (cursor === null) return query;
  const { at } = cursor;
  if (direction === "asc") return { ...query, from: Math.max(at, query.from ?? at) };
  return { ...query, to: Math.min(at + 1, query.to ?? at + 1) };
}

function sumReader(driver: Driver, builder: Builder) {
  return async (
    by: "day" | "model" | "token",
    query: LedgerQuery = {},
  ): Promise<readonly LedgerSum[]> => {
    const keys = {
      day: sql<string | number | null>`at / ${sql.lit(dayMs)}`,
      model: sql<string | number | null>`coalesce(answered_by, model)`,
      token: sql<string | number | null>`token_id`,
    };
    const total = (column: string) =>
      sql<number>`cast(coalesce(sum(${sql.ref(column)}), 0) as bigint)`;
    const rows = await driver.report(
      filtered(builder.selectFrom("ledger"), query)
        .select(keys[by].as("key"))
        .select(({ fn }) => fn.countAll<number>().as("requests"))
        .select(total("prompt_tokens").as("promptTokens"))
        .select(total("completion_tokens").as("completionTokens"))
        .select(total("cached_tokens").as("cachedTokens"))
        .select(total("total_tokens").as("totalTokens"))
        .select(sql<string | null>`cast(sum(cost) as text)`.as("cost"))
        .select(sql<number>`count(*) - count(cost)`.as("unknownCosts"))
        .groupBy(keys[by])
        .orderBy("key")
        .compile(),
    );
    return rows.map((row) => ({
      ...row,
      key: typeof row.key === "number" ? periodKey("day", row.key * dayMs) : row.key,
      cost: row.cost === null ? null : formatMoney(BigInt(row.cost)),
    }));
  };
}

function weekReader(driver: Driver, builder: Builder) {
  return async (tokenId: string, nowMs: number): Promise<readonly WeekRow[]> => {
    const rows = await driver.report(
      filtered(builder.selectFrom("ledger"), { tokenId, from: nowMs - weekMs })
        .select(["upstream_id", "model", "answered_by", "total_tokens", "at"])
        .select(exactText("cost").as("cost"))
        .where("total_tokens", "is not", null)
        .orderBy("at", "desc")
        .limit(maxWeekRows)
        .compile(),
    );
    return rows.map((row) => ({
      remote_id: row.upstream_id,
      model: row.answered_by ?? row.model,
      total_token: row.total_tokens ?? 0,
      price: row.cost === null ? null : formatMoney(BigInt(row.cost)),
      timestamp: Math.floor(row.at / 1_000),
    }));
  };
}

function filtered<O>(rows: Filtered<O>, query: LedgerQuery): Filtered<O> {
  let chosen = rows;
  if (query.tokenId !== undefined) {
    // An id that no database could hold is nobody's.
    const id = isStorable(query.tokenId) ? query.tokenId : "";
    chosen = chosen.where("token_id", "=", id);
  }
  if (query.from !== undefined) chosen = chosen.where("at", ">=", query.from);
  if (query.to !== undefined) chosen = chosen.where("at", "<", query.to);
  return chosen;
}

function bounded(limit: number): number {
  return Number.isInteger(limit) ? Math.min(Math.max(limit, 1), maxRows) : maxRows;
}
