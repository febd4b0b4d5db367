import { DatabaseSync } from "node:sqlite";
import type { CompiledQuery } from "kysely";
import pg from "pg";
import { systemClock } from "../../../src/clock.ts";
import type { Conversations } from "../../../src/core/conversations/conversations.ts";
import type { Clock } from "../../../src/core/ports.ts";
import { createConversations } from "../../../src/storage/conversations/conversations.ts";
import { createSealing } from "../../../src/storage/conversations/sealing.ts";
import { databaseOn } from "../../../src/storage/driver/database.ts";
import type { Driver, Transaction } from "../../../src/storage/driver/driver.ts";
import { openPostgres } from "../../../src/storage/driver/postgres.ts";
import { openSqlite } from "../../../src/storage/driver/sqlite.ts";
import type { TestDatabase } from "./databases.ts";

/** A store of conversations that notes every query it runs, and the rows of those outside transactions. */
export async function openWatched(
  database: TestDatabase,
  clock: Clock = systemClock,
): Promise<{
  readonly conversations: Conversations;
  readonly queries: CompiledQuery[];
  readonly rows: unknown[];
  close(): Promise<void>;
}> {
  const driver = await driverOf(database);
  const queries: CompiledQuery[] = [];
  const rows: unknown[] = [];
  const noted = <T>(work: () => Transaction<T>) =>
    function* (): Transaction<T> {
      const running = work();
      let step = running.next([]);
      while (step.done !== true) {
        queries.push(step.value);
        step = running.next(yield step.value);
      }
      return step.value;
    };
  const watched: Driver = {
    ...driver,
    all: async (query) => {
      queries.push(query);
      const found = await driver.all(query);
      rows.push(...found);
      return found;
    },
    report: (query) => {
      queries.push(query);
      return driver.report(query);
    },
    transaction: (work) => driver.transaction(noted(work)),
    run: (work) => driver.run(noted(work)),
  };
  const sealing = createSealing({ current: null, old: [] });
  const conversations = createConversations(databaseOn(watched), clock, sealing);
  return { conversations, queries, rows, close: () => driver.close() };
}

/** Reads of a whole table in the plans of these queries, which must not be. */
export async function fullScans(
  database: TestDatabase,
  queries: readonly CompiledQuery[],
): Promise<readonly string[]> {
  const { databaseUrl, sqliteFile } = database.place;
  const bySql = [...new Map(queries.map((query) => [query.sql, query])).values()];
  if (databaseUrl == null) return sqliteScans(sqliteFile ?? "", bySql);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const plans: string[] = [];
    for (const { sql, parameters } of bySql) {
      const { rows } = await client.query(`EXPLAIN ${sql}`, [...parameters]);
      plans.push(...rows.map((row) => `${row["QUERY PLAN"]} in ${sql}`));
    }
    return plans.filter((line) => /Seq Scan on (turns|conversations)\b/.test(line));
  } finally {
    await client.end();
  }
}

function sqliteScans(file: string, queries: readonly CompiledQuery[]): readonly string[] {
  const database = new DatabaseSync(file);
  const plans = queries.flatMap(({ sql }) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => `${detail} in ${sql}`),
  );
  database.close();
  return plans.filter((line) => /^SCAN (turns|conversations|child|parent)\b/.test(line));
}

/** Conversations of one owner with turns in a row, as the store would have written them. */
export async function fill(
  database: TestDatabase,
  owner: string,
  conversations: number,
  turns: number,
): Promise<void> {
  const driver = await driverOf(database);
  const now = Date.now();
  const numbers = (name: string, most: number) =>
    `${name}(i) as (select 1 union all select i + 1 from ${name} where i < ${most})`;
  // Before any id that the store makes, as ids sort by time.
  const turn = (number: string) => `'000turn' || (1000000 + ${number})`;
  const statements = [
    `with recursive ${numbers("n", conversations)}
     insert into conversations select '${owner} ' || (1000000 + i), '${owner}', 'p:' || i, 't' || i, null, ${now},
       ${now} + 3600000, 3600000, ${turn(String(turns))}, ${turns}, ${turns * 400}, null, null, null, 0 from n`,
    `with recursive ${numbers("n", conversations)}, ${numbers("m", turns)}
     insert into turns select '${owner} ' || (1000000 + n.i), ${turn("m.i")},
       case when m.i = 1 then null else ${turn("m.i - 1")} end, m.i, 400, ${now}, 'complete',
       't' || '${"q".repeat(100)}', 't' || '${"a".repeat(300)}' from m, n order by m.i, n.i`,
    `insert into conversation_counts values ('${owner}', ${conversations})`,
    "analyze",
  ];
  try {
    for (const sql of statements) await driver.report(rawQuery(sql));
  } finally {
    await driver.close();
  }
}

/** For what the query builder has no words for. */
export function rawQuery(sql: string): CompiledQuery {
  const query = { kind: "RawNode", sqlFragments: [sql], parameters: [] } as const;
  return { sql, parameters: [], query, queryId: { queryId: sql } };
}

function driverOf({ place }: TestDatabase): Promise<Driver> {
  const { databaseUrl, sqliteFile } = place;
  if (databaseUrl != null)
    return openPostgres({
      url: databaseUrl,
      connections: 10,
      mayCreate: true,
      onError: () => undefined,
      onNotice: () => undefined,
      nowMs: systemClock.monotonicMs,
    });
  return openSqlite(sqliteFile ?? "");
}
