import { sql } from "kysely";
import type { Clock } from "../../core/ports.ts";
import {
  type CallCountStore,
  counterNames,
  type HourOfCounts,
} from "../../core/reports/call-counts.ts";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";
import type { CallCountTable } from "../driver/schema.ts";

const HOUR_MS = 3_600_000;
const KEPT_HOURS = 32 * 24;
/** Rows of one statement: each binds three values, of which a statement takes some ten thousand. */
const ROWS_AT_ONCE = 500;

const places = new Map(counterNames.map((name, at) => [name, at]));

/** Counts by hour that all instances add to. */
export function createCallCountStore({ driver, builder }: Database): CallCountStore {
  const addRows = (rows: readonly CallCountTable[]) =>
    builder
      .insertInto("call_counts")
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .columns(["hour", "name"])
          .doUpdateSet({ calls: sql<number>`call_counts.calls + excluded.calls` }),
      )
      .compile();
  return {
    async add(hours) {
      // in one order everywhere: instances that add at once do not wait for each other in a ring
      const rows = hours.flatMap(rowsOf).toSorted((a, b) => a.hour - b.hour);
      await driver.transaction(function* (): Transaction<void> {
        for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
          yield* query(addRows(rows.slice(at, at + ROWS_AT_ONCE)));
        }
      });
    },
    async between(fromHour, toHour) {
      const rows = await driver.report(
        builder
          .selectFrom("call_counts")
          .selectAll()
          .where("hour", ">=", fromHour)
          .where("hour", "<", toHour)
          .compile(),
      );
      return hoursOf(rows);
    },
  };
}

/** Deletes what is older than 32 days. */
export function createCountSweep(
  { driver, builder }: Database,
  { wallMs }: Pick<Clock, "wallMs">,
): () => Promise<void> {
  return async () => {
    const oldest = Math.floor(wallMs() / HOUR_MS) - KEPT_HOURS;
    await driver.all(builder.deleteFrom("call_counts").where("hour", "<", oldest).compile());
  };
}

function rowsOf({ hour, counts }: HourOfCounts): readonly CallCountTable[] {
  return counterNames.flatMap((name, at) => {
    const calls = counts[at] ?? 0;
    return calls === 0 ? [] : [{ hour, name, calls }];
  });
}

function hoursOf(rows: readonly CallCountTable[]): readonly HourOfCounts[] {
  const hours = new Map<number, Float64Array>();
  for (const { hour, name, calls } of rows) {
    const counts = hours.get(hour) ?? new Float64Array(counterNames.length);
    hours.set(hour, counts);
    // another version may count more
    const place = places.get(name);
    if (place !== undefined) counts[place] = calls;
  }
  return [...hours].map(([hour, counts]) => ({ hour, counts }));
}
