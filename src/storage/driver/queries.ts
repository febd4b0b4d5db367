import {
  type Compilable,
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from "kysely";
import type { Tables } from "./schema.ts";

export type Builder = Kysely<Tables>;

/** Builds and compiles queries only; they are run by the driver. */
export function createBuilder(kind: "sqlite" | "postgres"): Builder {
  const sqlite = kind === "sqlite";
  return new Kysely<Tables>({
    dialect: {
      createDriver: () => new DummyDriver(),
      createAdapter: () => (sqlite ? new SqliteAdapter() : new PostgresAdapter()),
      createIntrospector: (db) =>
        sqlite ? new SqliteIntrospector(db) : new PostgresIntrospector(db),
      createQueryCompiler: () => (sqlite ? new SqliteQueryCompiler() : new PostgresQueryCompiler()),
    },
  });
}

class Marker {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Places where the values of a prepared query go. */
export interface Places {
  text<T = string>(name: string): RawBuilder<T>;
  /** Cast, because Postgres would take the 32-bit type of a literal beside it. */
  int<T = number>(name: string): RawBuilder<T>;
}

const places: Places = {
  text: (name) => sql`${new Marker(name)}`,
  int: (name) => sql`cast(${new Marker(name)} as bigint)`,
};

type Values = Readonly<Record<string, unknown>>;

/**
 * Compiles once (kysely takes some 50 µs to build and compile a query) and binds by name on each
 * use. A name without a value is a mistake and throws.
 */
export function prepare<V extends Values, R>(
  build: (places: Places) => Compilable<R>,
): (values: V) => CompiledQuery<R> {
  const compiled = build(places).compile();
  const names = compiled.parameters.map((value) => (value instanceof Marker ? value.name : null));
  return (values) => ({
    ...compiled,
    parameters: names.map((name, at) => (name === null ? compiled.parameters[at] : values[name])),
  });
}

/** The exact text of a money column, or of a sum of one. */
export function exactText(column: string): RawBuilder<string> {
  return sql<string>`cast(${sql.ref(column)} as text)`;
}
