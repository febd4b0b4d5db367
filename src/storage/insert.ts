import { type CompiledQuery, sql } from "kysely";
import { type EntryValues, entryColumns } from "./entry.ts";
import type { Builder } from "./queries.ts";

interface Written {
  readonly id: string;
}

/**
 * Inserts of n ledger rows, compiled once for each n. `fresh` rows have new ids; a row that is
 * there already is the same row, written by an attempt whose answer was lost. `held` rows carry
 * their reservation's id and may replace the row that a recovery wrote too early; they return
 * the ids that were written.
 */
export function createInserts(builder: Builder) {
  const fresh = new Map<number, CompiledQuery<unknown>>();
  const held = new Map<number, CompiledQuery<Written>>();
  return {
    fresh: (rows: readonly EntryValues[]) =>
      bound(fresh, rows, () => freshQuery(builder, rows.length)),
    held: (rows: readonly EntryValues[]) =>
      bound(held, rows, () => heldQuery(builder, rows.length)),
  };
}

function bound<R>(
  cache: Map<number, CompiledQuery<R>>,
  rows: readonly EntryValues[],
  compile: () => CompiledQuery<R>,
): CompiledQuery<R> {
  let compiled = cache.get(rows.length);
  if (compiled === undefined) {
    compiled = compile();
    cache.set(rows.length, compiled);
  }
  return { ...compiled, parameters: rows.length === 1 ? (rows[0] ?? []) : rows.flat() };
}

/** A row keeps its id and its time, whoever writes it. */
const KEY: readonly (typeof entryColumns)[number][] = ["at", "id"];

function freshQuery(builder: Builder, rows: number): CompiledQuery<unknown> {
  return insert(builder, rows)
    .onConflict((conflict) => conflict.columns(KEY).doNothing())
    .compile();
}

function heldQuery(builder: Builder, rows: number): CompiledQuery<Written> {
  return insert(builder, rows)
    .onConflict((conflict) =>
      conflict
        .columns(KEY)
        .doUpdateSet(
          Object.fromEntries(
            entryColumns
              .filter((column) => !KEY.includes(column))
              .map((column) => [column, sql.ref(`excluded.${column}`)]),
          ),
        )
        .where("ledger.state", "=", sql.lit("recovered")),
    )
    .returning("id")
    .compile();
}

/** The values are bound on each use, in the order of `entryColumns`. */
function insert(builder: Builder, rows: number) {
  const row = sql`(${sql.join(entryColumns.map(() => sql`${null}`))})`;
  return builder
    .insertInto("ledger")
    .columns(entryColumns)
    .expression(sql`values ${sql.join(Array.from({ length: rows }, () => row))}`);
}
