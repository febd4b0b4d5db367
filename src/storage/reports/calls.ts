import { sql } from "kysely";
import type { LedgerRow } from "../../core/accounts/accounts.ts";
import type { CallPage, CallPlace, CallQuery } from "../../core/reports/calls.ts";
import type { Database } from "../driver/database.ts";
import { pageSize } from "../driver/queries.ts";
import { ledgerRow, ledgerSelection } from "../ledger/columns.ts";
import { filtered } from "../ledger/filter.ts";
import { createNameLookup } from "./name-lookup.ts";
import { createSlices, type Slice } from "./slices.ts";

const MAX_LISTED = 1_000;
/** Parts of the ledger in which one page looks for rare calls; the next page goes on from there. */
const MAX_SLICES = 50;
/** Calls that took longer are not among those that ended since a moment. */
const MAX_TAIL_MS = 900_000;

/** Pages of calls. What no index finds is looked for in slices, which hold nobody up. */
export function createCallList(database: Database) {
  const slices = createSlices(database);
  const read = callReader(database);
  const namesOf = createNameLookup(database);
  const find = async (query: CallQuery): Promise<Found> => {
    const limit = pageSize(query.limit, MAX_LISTED);
    const found: LedgerRow[] = [];
    const whole = spanOf(query);
    let left = MAX_SLICES;
    for await (const slice of needsSlices(query) ? slices.backward(query, whole) : [whole]) {
      found.push(...(await read(query, slice, limit + 1 - found.length)));
      const last = found[limit - 1];
      if (found.length > limit && last !== undefined) return { found: found.slice(0, limit), last };
      left -= 1;
      if (left === 0) return { found, last: { at: slice.from, id: "" } };
    }
    return { found, last: null };
  };
  return async (query: CallQuery): Promise<CallPage> => {
    const { found, last } = await find(query);
    const names = await namesOf(found.map(({ tokenId }) => tokenId));
    const calls = found.map((row) => ({ ...row, tokenName: names.get(row.tokenId) ?? null }));
    return { calls, next: last && { at: last.at, id: last.id } };
  };
}

interface Found {
  readonly found: readonly LedgerRow[];
  readonly last: CallPlace | null;
}

function needsSlices({ model, outcome, endedSince }: CallQuery): boolean {
  return model !== undefined || outcome !== undefined || endedSince !== undefined;
}

function spanOf({ from = 0, to, before, endedSince }: CallQuery): Slice {
  const end = Math.min(to ?? Number.MAX_SAFE_INTEGER, (before?.at ?? Number.MAX_SAFE_INTEGER) + 1);
  return { from: Math.max(from, (endedSince ?? 0) - MAX_TAIL_MS), to: end };
}

function callReader({ driver, builder }: Database) {
  return async (query: CallQuery, slice: Slice, limit: number): Promise<readonly LedgerRow[]> => {
    const { before, endedSince } = query;
    let rows = filtered(builder.selectFrom("ledger"), { ...query, ...slice });
    if (before !== undefined) {
      rows = rows.where(sql<boolean>`(at, id) < (${before.at}, ${before.id})`);
    }
    if (endedSince !== undefined) {
      rows = rows.where(sql<boolean>`at + coalesce(duration_ms, 0) >= ${endedSince}`);
    }
    const page = rows
      .select(ledgerSelection)
      .orderBy("at", "desc")
      .orderBy("id", "desc")
      .limit(limit)
      .$castTo<LedgerRow>();
    return (await driver.report(page.compile())).map(ledgerRow);
  };
}
