import type { CompiledQuery } from "kysely";

/**
 * A transaction written once for both databases: it yields queries and is handed their rows.
 * SQLite runs it without giving up the thread, so nothing can come between; Postgres awaits each.
 * It may be run again from the start, so it must not change anything outside itself.
 */
export type Script<T> = Generator<CompiledQuery, T, readonly unknown[]>;

export interface Driver {
  readonly kind: "sqlite" | "postgres";
  /** How many rows one insert statement is best given. */
  readonly rowsPerInsert: number;
  all<R>(query: CompiledQuery<R>): Promise<readonly R[]>;
  /** The same for queries over many rows, which nobody's call waits for. */
  report<R>(query: CompiledQuery<R>): Promise<readonly R[]>;
  /** Commits, or throws and has changed nothing (but for a connection lost while committing). */
  transaction<T>(script: () => Script<T>): Promise<T>;
  /**
   * Another number once anybody else has changed something; what was read before is then old. Null
   * where that can't be told.
   */
  version(): number | null;
  /** For what only reads, or is one statement: no transaction is put around it. */
  single<T>(script: () => Script<T>): Promise<T>;
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}

/** One query of a script. */
export function* ask<R>(query: CompiledQuery<R>): Script<readonly R[]> {
  // The driver hands back the rows of the query it was given, and the query carries their type.
  return (yield query) as readonly R[];
}
