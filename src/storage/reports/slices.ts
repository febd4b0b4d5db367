import { setImmediate } from "node:timers/promises";
import type { LedgerQuery } from "../../core/accounts/ledger-query.ts";
import type { Database } from "../driver/database.ts";
import { filtered } from "../ledger/filter.ts";

/**
 * Rows that one statement reads. SQLite is synchronous, and calls come between two slices: 2,000 rows
 * take 2 ms. PostgreSQL blocks nobody, but what it groups has to fit into memory.
 */
const SLICE_ROWS = { sqlite: 2_000, postgres: 20_000 } as const;

export interface Slice {
  readonly from: number;
  readonly to: number;
}

/** Parts of a span of the ledger, each of so few rows that reading it holds nobody up. */
export function createSlices({ driver, builder }: Database) {
  const rows = SLICE_ROWS[driver.kind];
  const beyond = async ({ tokenId }: LedgerQuery, { from, to }: Slice, isForward: boolean) => {
    const token = tokenId === undefined ? {} : { tokenId };
    const [row] = await driver.report(
      filtered(builder.selectFrom("ledger").select("at"), { ...token, from, to })
        .orderBy("at", isForward ? "asc" : "desc")
        .limit(1)
        .offset(rows)
        .compile(),
    );
    return row?.at ?? null;
  };
  return {
    /** Oldest first. */
    async *forward(query: LedgerQuery, { from, to }: Slice): AsyncGenerator<Slice> {
      for (let start = from; ; ) {
        const end = await beyond(query, { from: start, to }, true);
        if (end === null) return yield { from: start, to };
        // more rows than that in one millisecond stay together
        const next = Math.max(end, start + 1);
        yield { from: start, to: next };
        start = next;
        await setImmediate();
      }
    },
    /** Newest first. */
    async *backward(query: LedgerQuery, { from, to }: Slice): AsyncGenerator<Slice> {
      for (let end = to; ; ) {
        const start = await beyond(query, { from, to: end }, false);
        if (start === null) return yield { from, to: end };
        const next = Math.min(start + 1, end - 1);
        yield { from: next, to: end };
        end = next;
        await setImmediate();
      }
    },
  };
}
