import { setImmediate } from "node:timers/promises";
import { sql } from "kysely";
import type { Ledger, LedgerRow, LedgerSum, WeekRow } from "../../core/accounts/accounts.ts";
import type { LedgerQuery } from "../../core/accounts/ledger-query.ts";
import { formatMoney } from "../../core/accounts/money.ts";
import { periodKey } from "../../core/accounts/quota.ts";
import type { Database } from "../driver/database.ts";
import { columnName, exactText, pageSize } from "../driver/queries.ts";
import type { Tables } from "../driver/schema.ts";
import { ledgerRow, ledgerSelection } from "./columns.ts";
import { filtered } from "./filter.ts";
import { createPurge, createPurgedTo } from "./purge.ts";

const MAX_ROWS = 1_000;
const MAX_WEEK_ROWS = 10_000;
const DAY_MS = 86_400_000;

/** What only reads the ledger, and the purge. `week` is given the present time. */
export function createLedgerReport(database: Database) {
  const page = pageReader(database);
  return {
    rows: (query = {}) => page(query, "desc", query.before, query.limit),
    sums: sumReader(database),
    week: weekReader(database),
    export: exporter(database, page),
    purge: createPurge(database),
  } satisfies Partial<Record<keyof Ledger, unknown>> & Pick<Ledger, "rows" | "export">;
}

const INCOMPLETE =
  "the export is incomplete: RETENTION_DAYS deleted records while it ran; run it again";

function exporter(database: Database, page: ReturnType<typeof pageReader>): Ledger["export"] {
  const purgedTo = createPurgedTo(database);
  return async function* (query = {}) {
    const before = await purgedTo();
    let isIncomplete = false;
    const { model: _model, outcome: _outcome, ...span } = query;
    const isWanted = rowFilter(query);
    for (let last: LedgerRow | undefined; ; ) {
      // chosen here: rare rows would hold calls up while the database looks for a page of them
      const rows = await page(span, "asc", last, MAX_ROWS);
      await setImmediate();
      const purged = await purgedTo();
      const reached = last?.at ?? query.from ?? Number.NEGATIVE_INFINITY;
      isIncomplete ||= purged !== before && purged !== null && purged > reached;
      yield* rows.filter(isWanted);
      if (rows.length < MAX_ROWS) break;
      last = rows.at(-1);
    }
    if (isIncomplete) throw new Error(INCOMPLETE);
  };
}

function rowFilter({ model, outcome }: LedgerQuery): (row: LedgerRow) => boolean {
  return (row) =>
    (model === undefined || row.model === model || row.answeredBy === model) &&
    (outcome === undefined || row.outcome === outcome);
}

type Cursor = Pick<LedgerRow, "at" | "id"> | undefined;

function pageReader({ driver, builder }: Database) {
  return async (
    query: LedgerQuery,
    direction: "asc" | "desc",
    from: Cursor,
    limit?: number,
  ): Promise<readonly LedgerRow[]> => {
    let rows = filtered(builder.selectFrom("ledger"), pageBounds(query, direction, from));
    if (from !== undefined) {
      const beyond = sql.raw(direction === "asc" ? ">" : "<");
      rows = rows.where(sql<boolean>`(at, id) ${beyond} (${from.at}, ${from.id})`);
    }
    const selected = rows
      .select(ledgerSelection)
      .orderBy("at", direction)
      .orderBy("id", direction)
      .limit(pageSize(limit, MAX_ROWS))
      .$castTo<LedgerRow>();
    return (await driver.report(selected.compile())).map(ledgerRow);
  };
}

/**
 * A page begins where the last one ended. This bounds `at` too: SQLite would take the query's own
 * bound for the index and read all earlier pages again.
 */
function pageBounds(query: LedgerQuery, direction: "asc" | "desc", cursor: Cursor): LedgerQuery {
  if (cursor === undefined) return query;
  const { at } = cursor;
  if (direction === "asc") return { ...query, from: Math.max(at, query.from ?? at) };
  return { ...query, to: Math.min(at + 1, query.to ?? at + 1) };
}

function sumReader({ driver, builder }: Database) {
  const total = (column: keyof Tables["ledger"]) =>
    sql<number>`cast(coalesce(sum(${sql.ref(column)}), 0) as bigint)`;
  const counts = ["promptTokens", "completionTokens", "cachedTokens", "totalTokens"] as const;
  const keys = {
    day: sql<string | number | null>`at / ${sql.lit(DAY_MS)}`,
    model: sql<string | number | null>`coalesce(answered_by, model)`,
    token: sql<string | number | null>`token_id`,
  };
  return async (by: keyof typeof keys, query: LedgerQuery = {}): Promise<readonly LedgerSum[]> => {
    const rows = await driver.report(
      filtered(builder.selectFrom("ledger"), query)
        .select(keys[by].as("key"))
        .select(({ fn }) => fn.countAll<number>().as("requests"))
        .select(counts.map((count) => total(columnName(count)).as(count)))
        .select(sql<string | null>`cast(sum(cost) as text)`.as("cost"))
        .select(sql<number>`count(*) - count(cost)`.as("unknownCosts"))
        .groupBy(keys[by])
        .orderBy("key")
        .compile(),
    );
    return rows.map((row) => ({
      ...row,
      key: typeof row.key === "number" ? periodKey("day", row.key * DAY_MS) : row.key,
      cost: row.cost === null ? null : formatMoney(BigInt(row.cost)),
    }));
  };
}

function weekReader({ driver, builder }: Database) {
  return async (tokenId: string, nowMs: number): Promise<readonly WeekRow[]> => {
    const rows = await driver.report(
      filtered(builder.selectFrom("ledger"), { tokenId, from: nowMs - 7 * DAY_MS })
        .select(["upstream_id", "model", "answered_by", "total_tokens", "at"])
        .select(exactText("cost").as("cost"))
        .where("total_tokens", "is not", null)
        .orderBy("at", "desc")
        .limit(MAX_WEEK_ROWS)
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
