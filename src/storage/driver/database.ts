import type { Driver, StorageNotice } from "./driver.ts";
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
  /** These two are for PostgreSQL; see postgres.ts. */
  readonly connections?: number;
  readonly startWaitMs?: number;
  readonly monotonicMs: () => number;
  readonly onNotice: (notice: StorageNotice) => void;
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

const CONNECTIONS = 10;

/** The other driver is not loaded. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, sqliteFile, mayCreate = true, monotonicMs: nowMs, onHealth } = options;
  const { connections = CONNECTIONS } = options;
  const migrating = { mayCreate, onNotice: options.onNotice };
  if (databaseUrl !== null && databaseUrl !== "") {
    const { openPostgres } = await import("./postgres.ts");
    const opening = { ...options, ...migrating, url: databaseUrl, connections, nowMs };
    return databaseOn(await openPostgres(opening), onHealth);
  }
  if (sqliteFile === null || sqliteFile === "") throw new Error("no database is named");
  const { openSqlite } = await import("./sqlite.ts");
  return databaseOn(await openSqlite(sqliteFile, migrating), onHealth);
}
