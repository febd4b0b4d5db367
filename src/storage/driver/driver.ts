import type { CompiledQuery } from "kysely";
import { ProxyError } from "../../core/errors.ts";

/**
 * A transaction, written once for both databases: it yields queries and receives their rows. SQLite
 * runs it in one go, so nothing can come between; Postgres awaits each query. It may be run again
 * from the start, so it must not change anything outside itself.
 */
export type Transaction<T> = Generator<CompiledQuery, T, readonly unknown[]>;

/** For the log: what an operator should know of a start that succeeds, or may still. */
export interface StorageNotice {
  readonly message: string;
  readonly reason?: string;
  /** Those of a newer version. */
  readonly migrations?: readonly string[];
}

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
   * Changes when another connection has written a token; what was read before may then be stale. Null
   * where the database can't tell.
   */
  tokensVersion(): number | null;
  /** Looks whether the files are those that were opened; until they are, writes fail. SQLite only. */
  checkFiles(): void;
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}

/** One query of a transaction. */
export function* query<R>(compiled: CompiledQuery<R>): Transaction<readonly R[]> {
  // The driver returns the rows of the query it was given, and the query has their type.
  return (yield compiled) as readonly R[];
}

/** For a name, an id or a model. */
const MAX_CHARACTERS = 200;

/**
 * For texts that others chose and a row must not fail for: Postgres refuses NUL, both databases
 * refuse or change half surrogate pairs, and a row's size needs a bound.
 */
export function toStorable<Text extends string | null>(text: Text): Text {
  if (text === null) return text;
  const short = text.length > MAX_CHARACTERS ? text.slice(0, MAX_CHARACTERS) : text;
  // The usual text is clean: one scan, no copy.
  const clean = isStorable(short) ? short : short.toWellFormed().replaceAll("\0", "\u{FFFD}");
  // Cast: still a value of the same named field.
  return clean as Text;
}

/** Whole milliseconds. The database refuses a time that is not a number where it needs one. */
export function wholeMs<Ms extends number | null>(ms: Ms): Ms {
  // Cast: still a value of the same named field.
  return (ms === null || !Number.isFinite(ms) ? null : Math.round(ms)) as Ms;
}

/** Whether both databases return the text unchanged. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

/** For texts the operator chose: refused rather than changed. */
export function requireStorable(
  field: string,
  text: string,
  maxCharacters = MAX_CHARACTERS,
): string {
  if (isStorable(text) && text.length <= maxCharacters) return text;
  throw new ProxyError("field_range", { params: { field } });
}
