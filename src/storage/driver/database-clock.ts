import { sql } from "kysely";
import type { Clock } from "../../core/ports.ts";
import type { Database } from "./database.ts";

/** PostgreSQL's time in milliseconds, also inside a transaction. */
export const postgresNow = sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`;

/** The time by which everything that is stored is judged, the same for all processes on a database. */
export interface DatabaseClock extends Clock {
  /** Adopts a time that the database told after `sentMs` of the monotonic clock. */
  heard(databaseMs: number, sentMs: number): void;
}

/**
 * Until the database was heard, and with SQLite, wall time is the machine's. Afterwards it is the
 * database's: what was heard last, and the time that has passed since.
 */
export function createDatabaseClock(clock: Clock): DatabaseClock {
  let aheadMs: number | null = null;
  return {
    monotonicMs: () => clock.monotonicMs(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    wallMs: () => (aheadMs === null ? clock.wallMs() : Math.floor(clock.monotonicMs() + aheadMs)),
    heard(databaseMs, sentMs) {
      // It was told somewhere between the question and the answer.
      const least = databaseMs - clock.monotonicMs();
      const most = databaseMs - sentMs;
      const isRight = aheadMs !== null && aheadMs >= least && aheadMs <= most;
      if (!isRight) aheadMs = (least + most) / 2;
    },
  };
}

/** For what announces no instance, whose heartbeat would do it. */
export async function hearPostgres({ driver, builder }: Database, clock: DatabaseClock) {
  const sentMs = clock.monotonicMs();
  const [row] = await driver.all(builder.selectNoFrom(postgresNow.as("ms")).compile());
  if (row !== undefined) clock.heard(row.ms, sentMs);
}
