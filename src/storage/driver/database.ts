import type { Driver } from "./driver.ts";
import { type Builder, createBuilder } from "./queries.ts";
import { createWrites, type Writes } from "./writes.ts";

/** A database that is open and up to date. */
export interface Database {
  readonly driver: Driver;
  readonly builder: Builder;
  readonly writes: Writes;
}

export function databaseOn(driver: Driver): Database {
  return { driver, builder: createBuilder(driver.kind), writes: createWrites(driver) };
}

/** Opens PostgreSQL if there is a URL, else SQLite. The other driver is not loaded. */
export async function openDatabase(
  databaseUrl: string | null,
  sqliteFile: string | null,
  onError: (error: Error) => void,
): Promise<Database> {
  if (databaseUrl !== null && databaseUrl !== "") {
    const { openPostgres } = await import("./postgres.ts");
    return databaseOn(await openPostgres(databaseUrl, onError));
  }
  if (sqliteFile === null || sqliteFile === "") throw new Error("no database is named");
  const { openSqlite } = await import("./sqlite.ts");
  return databaseOn(await openSqlite(sqliteFile));
}
