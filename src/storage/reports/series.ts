import { setImmediate } from "node:timers/promises";
import { type RawBuilder, sql } from "kysely";
import { BINS_PER_E } from "../../core/reports/first-tokens.ts";
import {
  type Dimension,
  dimensions,
  type Series,
  type SeriesPoint,
  type SeriesQuery,
  type SeriesRow,
  stepsMs,
} from "../../core/reports/series.ts";
import type { Database } from "../driver/database.ts";
import { filtered } from "../ledger/filter.ts";
import { createNameLookup } from "./name-lookup.ts";
import { createSlices, type Slice } from "./slices.ts";
import {
  addCounted,
  addTally,
  type CountedCalls,
  newTally,
  type SeriesTally,
  sumsOf,
} from "./tally.ts";

const MAX_LISTED = 50;
/** Clients choose the names of models: further ones are counted among the others. */
const MAX_KEYS = 10_000;

type Key = string | number;
type SeriesTallies = Map<Key | null, SeriesTally>;
type Read = (by: RawBuilder<Key>, query: SeriesQuery, slice: Slice) => Promise<readonly Keyed[]>;

interface Keyed extends CountedCalls {
  readonly key: Key;
}

const keys: Readonly<Record<Dimension, RawBuilder<Key>>> = {
  dialect: sql`dialect`,
  model: sql`coalesce(answered_by, model)`,
  upstream: sql`coalesce(upstream, '')`,
  token: sql`coalesce(token_id, payer_kind)`,
};

/** Sums over time, and over what calls have in common, in slices that hold nobody up. */
export function createSeries(database: Database) {
  const slices = createSlices(database);
  const read = countReader(database);
  const namesOf = createNameLookup(database);
  return async (query: SeriesQuery): Promise<Series> => {
    const stepMs = stepsMs[query.step];
    const steps: SeriesTallies = new Map();
    const tallies = dimensions.map((dimension) => ({
      dimension,
      tallies: new Map() as SeriesTallies,
    }));
    for await (const slice of slices.forward(query, query)) {
      add(steps, await read(sql`at / ${sql.lit(stepMs)}`, query, slice));
      for (const one of tallies) {
        await setImmediate();
        add(one.tallies, await read(keys[one.dimension], query, slice));
      }
    }
    const rows = Object.fromEntries(
      tallies.map((one) => [one.dimension, rowsOf(one.tallies)]),
    ) as Record<Dimension, readonly SeriesRow[]>; // of all dimensions
    const names = await namesOf(rows.token.map(({ key }) => key));
    const named = rows.token.map((row) => ({ ...row, name: names.get(row.key) ?? null }));
    return { points: pointsOf(steps, query, stepMs), by: { ...rows, token: named } };
  };
}

function countReader({ driver, builder }: Database): Read {
  const sum = (condition: RawBuilder<unknown>) =>
    sql<number>`cast(sum(case when ${condition} then 1 else 0 end) as bigint)`;
  const first = sql`cast(case when first_token_ms < 1 then 1 else first_token_ms end as double precision)`;
  const bin = sql<number | null>`cast(trunc(ln(${first}) * ${sql.lit(BINS_PER_E)}) as integer)`;
  return (key, query, { from, to }) =>
    driver.report<Keyed>(
      filtered(builder.selectFrom("ledger"), { ...query, from, to })
        .select([key.as("key"), bin.as("bin")])
        .select(({ fn }) => fn.countAll<number>().as("calls"))
        .select([
          sum(sql`outcome = 'completed'`).as("answered"),
          sum(sql`outcome in ('failed', 'interrupted')`).as("failed"),
          sum(sql`outcome = 'canceled'`).as("canceled"),
          sum(sql`outcome = 'refused'`).as("refused"),
          sql<number>`cast(coalesce(sum(total_tokens), 0) as bigint)`.as("tokens"),
          sql<string | null>`cast(sum(cost) as text)`.as("cost"),
        ])
        .groupBy([key, bin])
        .compile(),
    );
}

function add(tallies: SeriesTallies, rows: readonly Keyed[]): void {
  for (const row of rows) {
    const key = tallies.has(row.key) || tallies.size < MAX_KEYS ? row.key : null;
    const tally = tallies.get(key) ?? newTally();
    tallies.set(key, tally);
    addCounted(tally, row);
  }
}

function pointsOf(
  steps: SeriesTallies,
  { from, to }: SeriesQuery,
  stepMs: number,
): readonly SeriesPoint[] {
  return Array.from({ length: Math.ceil((to - from) / stepMs) }, (_, index) => {
    const at = from + index * stepMs;
    const tally = steps.get(at / stepMs) ?? newTally();
    const { answered, refused, canceled } = tally;
    return { at, ...sumsOf(tally), answered, refused, canceled };
  });
}

function rowsOf(tallies: SeriesTallies): readonly SeriesRow[] {
  const others = tallies.get(null) ?? newTally();
  const known = [...tallies].filter(([key]) => key !== null);
  const sorted = known.toSorted(
    ([one, a], [other, b]) => b.calls - a.calls || (String(one) < String(other) ? -1 : 1),
  );
  for (const [, tally] of sorted.slice(MAX_LISTED)) addTally(others, tally);
  const rows = sorted.slice(0, MAX_LISTED).map(([key, tally]) => rowOf(String(key), tally));
  return others.calls === 0 ? rows : [...rows, rowOf(null, others)];
}

function rowOf(key: string | null, tally: SeriesTally): SeriesRow {
  return { key, name: null, ...sumsOf(tally) };
}
