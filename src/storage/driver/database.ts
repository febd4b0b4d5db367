import type { Driver } from "./driver.ts";
import { type DatabaseHealth, watchWrites } from "./health.ts";
import { type Builder, createBuilder } from "./queries.ts";
import type { StorageProblem } from "./storage-errors.ts";
import { createWrites, type Writes } from "./writes.ts";

/** A database that is open and up to date. */
export interface Database {
  readonly driver: Driver;
  readonly builder: Builder;
  readonly writes: Writes;
  readonly health: DatabaseHealth;
}

export interface DatabaseOptions {
  /** Opens PostgreSQL. Null or empty: SQLite. */
  readonly databaseUrl: string | null;
  readonly sqliteFile: string | null;
  /** False: throws a NoDatabaseError if there is none. */
  readonly mayCreate?: boolean;
  readonly monotonicMs: () => number;
  /** Called when an idle connection breaks. */
  readonly onError: (error: Error) => void;
  /** Called when the database stops to take writes, with the cause, and when it takes them again. */
  readonly onHealth: (problem: StorageProblem | null) => void;
}

export function databaseOn(
  opened: Driver,
  onHealth: DatabaseOptions["onHealth"] = ignore,
): Database {
  const { driver, ...health } = watchWrites(opened, onHealth);
  return { driver, builder: createBuilder(driver.kind), writes: createWrites(driver), health };
}

const ignore = () => undefined;

/** The other driver is not loaded. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, sqliteFile, mayCreate = true, monotonicMs } = options;
  const { onError, onHealth } = options;
  if (databaseUrl !== null && databaseUrl !== "") {
    const { openPostgres } = await import("./postgres.ts");
    const driver = await openPostgres(databaseUrl, onError, monotonicMs, mayCreate);
    return databaseOn(driver, onHealth);
  }
  if (sqliteFile === null || sqliteFile === "") throw new Error("no database is named");
  const { openSqlite } = await import("./sqlite.ts");
  return databaseOn(await openSqlite(sqliteFile, mayCreate), onHealth);
}
