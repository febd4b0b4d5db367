import type { CompiledQuery } from "kysely";

/**
 * A transaction, written once for both databases: it yields queries and receives their rows. SQLite
 * runs it in one go, so nothing can come between; Postgres awaits each query. It may be run again
 * from the start, so it must not change anything outside itself.
 */
export type Transaction<T> = Generator<CompiledQuery, T, readonly unknown[]>;

export interface Driver {
  readonly kind: "sqlite" | "postgres";
  /** How many rows one insert statement should have. */
  readonly rowsPerInsert: number;
  all<R>(query: CompiledQuery<R>): Promise<readonly R[]>;
  /** The same for queries over many rows, which no call waits for. */
  report<R>(query: CompiledQuery<R>): Promise<readonly R[]>;
  /** Commits, or throws and has changed nothing (unless the connection broke during the commit). */
  transaction<T>(work: () => Transaction<T>): Promise<T>;
  /** The same without BEGIN and COMMIT: for work that only reads, or is one statement. */
  run<T>(work: () => Transaction<T>): Promise<T>;
  /**
   * Changes when another connection has written; what was read before may then be stale. Null where
   * the database can't tell.
   */
  version(): number | null;
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}

/** One query of a transaction. */
export function* query<R>(compiled: CompiledQuery<R>): Transaction<readonly R[]> {
  // The driver returns the rows of the query it was given, and the query has their type.
  return (yield compiled) as readonly R[];
}
