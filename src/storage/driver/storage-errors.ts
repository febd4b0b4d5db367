import { storageUnavailable } from "../../core/common-errors.ts";
import { ProxyError } from "../../core/errors.ts";

type Method = (...args: never[]) => unknown;

/** The same store, but an error of the database becomes our own 503. */
export function withStorageErrors<T extends object>(store: T): T {
  const guard =
    (method: Method): Method =>
    (...args) => {
      const result = method(...args);
      return result instanceof Promise ? result.catch(unavailable) : result;
    };
  const entries = Object.entries(store).map(([name, method]) => [name, guard(method)]);
  // The same methods under the same names.
  return Object.fromEntries(entries) as T;
}

function unavailable(error: unknown): never {
  if (error instanceof ProxyError) throw error;
  return storageUnavailable(error);
}

const words = {
  away: "the database cannot be reached",
  gone: "the database ended the connection",
  starting: "the database is starting or stopping",
  silent: "the database did not answer in time",
  read_only: "the database is read-only",
  full: "the disk of the database is full",
  busy: "the database is locked by another process",
  crowded: "the database has no connection or memory left",
  denied: "the database refuses the user, the password or a permission",
  damaged: "the database or its disk is damaged",
  moved: "the file of the database was moved, deleted or replaced",
  altered: "the tables of the database are not as Parley left them",
} as const;

/** Why a database does not serve. */
export type StorageCause = keyof typeof words;

export interface StorageProblem {
  readonly cause: StorageCause;
  /** For the log and the operator. */
  readonly words: string;
  /** The driver's own code: of PostgreSQL, of SQLite or of the system. Null: it has none. */
  readonly code: string | null;
  /** SQLite's number for it, which says more than the name: the extended result code. */
  readonly errcode: number | null;
}

/** What the error says about the database. Null: it is about a query, or not of the database. */
export function storageProblem(error: unknown): StorageProblem | null {
  for (let one = error, depth = 0; one instanceof Error && depth < MAX_DEPTH; depth++) {
    const code = driverCode(one);
    const cause = causeOfMessage(one) ?? (code === null ? null : causeOfCode(code));
    if (cause !== null) return { cause, words: words[cause], code, errcode: errcodeOf(one) };
    // An unreachable database has an error for each of its addresses.
    one = one instanceof AggregateError ? one.errors[0] : one.cause;
  }
  return null;
}

/** An error has a cause, which may have one. */
const MAX_DEPTH = 4;

/** PostgreSQL's, by their longest prefix; SQLite's; the system's. */
const CAUSES: readonly (readonly [StorageCause, ...string[]])[] = [
  ["away", "57P04", "SQLITE_CANTOPEN", "ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ENOENT"],
  ["away", "EHOSTUNREACH", "ENETUNREACH"],
  ["gone", "08", "57P01", "57P02", "57P05", "25P03", "ECONNRESET", "EPIPE"],
  ["starting", "57P03"],
  ["silent", "57014", "ETIMEDOUT"],
  ["read_only", "25006", "SQLITE_READONLY", "EROFS"],
  ["full", "53100", "SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", "ENOSPC", "EDQUOT"],
  ["busy", "55P03", "40001", "40P01", "SQLITE_BUSY", "SQLITE_LOCKED"],
  ["crowded", "53", "SQLITE_NOMEM"],
  ["denied", "28", "42501", "3D000", "SQLITE_PERM", "SQLITE_AUTH", "EACCES", "EPERM"],
  ["damaged", "XX", "58", "SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB"],
  ["moved", "SQLITE_READONLY_DBMOVED"],
  ["altered", "42P01", "42703", "42883", "3F000"],
];
const causeByCode = new Map(
  CAUSES.flatMap(([cause, ...codes]) => codes.map((code) => [code, cause])),
);

function causeOfCode(code: string): StorageCause | null {
  return causeByCode.get(code) ?? causeByCode.get(code.slice(0, 2)) ?? null;
}

/**
 * What has no code of its own: PgBouncer gives every refusal the same one, the PostgreSQL driver gives
 * the next two none, and SQLite's for the last is that of any mistake.
 */
const MESSAGES: readonly (readonly [RegExp, StorageCause])[] = [
  [/^no more connections allowed/, "crowded"],
  [/^(Query read timeout|timeout e)|due to connection timeout$/, "silent"],
  [/^(Connection terminated|Client has encountered a connection error|Client was closed)/, "gone"],
  [/^no such (table|column)/, "altered"],
];

function causeOfMessage({ message }: Error): StorageCause | null {
  return MESSAGES.find(([pattern]) => pattern.test(message))?.[1] ?? null;
}

function driverCode(error: Error): string | null {
  const extended = SQLITE_NAMES[errcodeOf(error) ?? 0];
  if (extended !== undefined) return extended;
  const sqlite = sqliteCode(error);
  if (sqlite !== null) return SQLITE_NAMES[sqlite] ?? `SQLITE_${sqlite}`;
  return "code" in error && typeof error.code === "string" ? error.code : null;
}

/** By SQLite's primary result codes, and by extended ones that mean something else. */
const SQLITE_NAMES: Readonly<Record<number, string>> = {
  3: "SQLITE_PERM",
  5: "SQLITE_BUSY",
  6: "SQLITE_LOCKED",
  7: "SQLITE_NOMEM",
  8: "SQLITE_READONLY",
  10: "SQLITE_IOERR",
  11: "SQLITE_CORRUPT",
  13: "SQLITE_FULL",
  14: "SQLITE_CANTOPEN",
  23: "SQLITE_AUTH",
  26: "SQLITE_NOTADB",
  1032: "SQLITE_READONLY_DBMOVED",
  4874: "SQLITE_IOERR_SHMSIZE",
};

export const SQLITE_BUSY = 5;

/** SQLite's primary result code, or null for another error. Extended codes have it in the low byte. */
export function sqliteCode(error: unknown): number | null {
  const code = errcodeOf(error);
  return code === null ? null : code & 0xff;
}

function errcodeOf(error: unknown): number | null {
  const code = error instanceof Error && "errcode" in error ? error.errcode : null;
  return typeof code === "number" ? code : null;
}
