import {
  type Compilable,
  type CompiledQuery,
  Kysely,
  PostgresDialect,
  type RawBuilder,
  SqliteDialect,
  sql,
} from "kysely";
import type { SnakeCaseName } from "../../core/named.ts";
import type { Tables } from "./schema.ts";

export type Builder = Kysely<Tables>;

/** Builds and compiles queries; the driver runs them. */
export function createBuilder(kind: "sqlite" | "postgres"): Builder {
  const connect = async () => {
    throw new Error("a builder runs no query");
  };
  const dialect =
    kind === "sqlite"
      ? new SqliteDialect({ database: connect })
      : new PostgresDialect({ pool: connect });
  return new Kysely<Tables>({ dialect });
}

class Marker {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Where the values of a prepared query go, by their names. */
export interface Placeholders<Values> {
  text<T = string>(name: keyof Values & string): RawBuilder<T>;
  /** Cast, because Postgres would take the 32-bit type of a neighboring literal. */
  int<T = number>(name: keyof Values & string): RawBuilder<T>;
}

const placeholders = {
  text: <T>(name: string) => sql<T>`${new Marker(name)}`,
  int: <T>(name: string) => sql<T>`cast(${new Marker(name)} as bigint)`,
};

/** Compiles once, which takes kysely about 50 µs, and binds values on each use. */
export function prepare<Values extends object, R>(
  build: (placeholders: Placeholders<Values>) => Compilable<R>,
): (values: Values) => CompiledQuery<R> {
  const compiled = build(placeholders).compile();
  const names = compiled.parameters.map((value) => (value instanceof Marker ? value.name : null));
  return (values) => {
    const named = values as Readonly<Record<string, unknown>>;
    return {
      ...compiled,
      parameters: names.map((name, at) => (name === null ? compiled.parameters[at] : named[name])),
    };
  };
}

/** The values of one row, in the order of the statement's columns. */
export type RowValues = readonly (string | number | bigint | null)[];

/** A statement over any number of rows, compiled once for each number. It gets a list of rows. */
export function forRows<R>(
  width: number,
  build: (rows: RawBuilder<unknown>) => Compilable<R>,
): (rows: readonly RowValues[]) => CompiledQuery<R> {
  const compiled = new Map<number, CompiledQuery<R>>();
  const row = sql`(${sql.join(Array.from({ length: width }, () => sql`${null}`))})`;
  return (rows) => {
    let query = compiled.get(rows.length);
    if (query === undefined) {
      query = build(sql.join(rows.map(() => row))).compile();
      compiled.set(rows.length, query);
    }
    return { ...query, parameters: rows.length === 1 ? (rows[0] ?? []) : rows.flat() };
  };
}

/** The exact text of a money column, or of a sum of one. */
export function exactText(column: string): RawBuilder<string> {
  return sql<string>`cast(${sql.ref(column)} as text)`;
}

export function columnName<Field extends string>(field: Field): SnakeCaseName<Field> {
  // Cast: does what SnakeCaseName does in types.
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) as SnakeCaseName<Field>;
}

/** Selects columns under the names of their fields, and the money column as exact text. */
export function selectionOf<Field extends string>(fields: readonly Field[], money?: Field) {
  return fields.map((field) =>
    (field === money ? exactText(field) : sql.ref(columnName(field))).as(field),
  );
}

/** How many rows a page has when this many were asked for. */
export function pageSize(limit: number | undefined, max: number): number {
  return limit !== undefined && Number.isInteger(limit) ? Math.min(Math.max(limit, 1), max) : max;
}
