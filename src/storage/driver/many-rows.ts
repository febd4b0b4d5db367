import { type Compilable, type CompiledQuery, type RawBuilder, sql } from "kysely";

/** What is bound for one row, in the order of the statement's columns. */
export type RowValues = readonly (string | number | bigint | null)[];

/** A statement for any number of rows, compiled once for each number. */
export function forRows<R>(
  columns: readonly string[],
  build: (values: RawBuilder<unknown>) => Compilable<R>,
): (rows: readonly RowValues[]) => CompiledQuery<R> {
  const compiled = new Map<number, CompiledQuery<R>>();
  const row = sql`(${sql.join(columns.map(() => sql`${null}`))})`;
  return (rows) => {
    let query = compiled.get(rows.length);
    if (query === undefined) {
      query = build(sql`values ${sql.join(rows.map(() => row))}`).compile();
      compiled.set(rows.length, query);
    }
    return { ...query, parameters: rows.length === 1 ? (rows[0] ?? []) : rows.flat() };
  };
}
