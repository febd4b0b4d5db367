import { sql } from "kysely";
import type { StoredObject, StoredObjects } from "../../core/accounts/stored-objects.ts";
import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import { query, toStorable } from "../driver/driver.ts";
import { columnName, forRows, prepare, selectionOf } from "../driver/queries.ts";
import { isRefusal, MAX_BATCH } from "../driver/writes.ts";
import { createSettleQueue } from "../ledger/settle-queue.ts";

/** OpenAI forgets responses after 30 days, and conversations never. */
const RESPONSE_MS = 31 * 86_400_000;
/** Of one token. They cost nothing, so nothing else bounds them. */
const MAX_CONVERSATIONS = 10_000;
/** Rows deleted in one statement: so few that no call notices. */
const SWEPT_AT_ONCE = 2_000;

const fields = ["digest", "kind", "tokenId", "upstream", "keyDigest"] as const;
const columns = [...fields.map(columnName), "created_at"] as const;
const changed = columns.filter((column) => column !== "digest");

interface Row {
  readonly object: StoredObject;
  readonly at: number;
}

export interface StoredObjectsEnd {
  close(): Promise<void>;
  giveUp(): void;
}

export function createStoredObjects(
  database: Database,
  clock: Pick<Clock, "wallMs">,
  onError: (error: Error) => void,
): StoredObjects & StoredObjectsEnd {
  const { driver, writes } = database;
  const queries = createQueries(database);
  /** Bounded by the queue. */
  const pending = new Map<string, StoredObject>();
  const add = writes.group<Row, undefined>(
    {
      keyOf: () => "",
      *write(rows) {
        yield* query(queries.insert(valuesOf(rows)));
        return rows.map(() => undefined);
      },
      isOneStatement: () => true,
    },
    { partitions: 1, maxBatch: MAX_BATCH },
  );
  const forget = ({ object }: Row) => {
    if (pending.get(object.digest) === object) pending.delete(object.digest);
  };
  const queue = createSettleQueue<Row>({
    write: async (row) => {
      await add(row);
      forget(row);
    },
    isRefusal,
    onLost: (row, error) => {
      forget(row);
      onError(error instanceof Error ? error : new Error(String(error)));
    },
  });
  return {
    keep(object) {
      pending.set(object.digest, object);
      return queue.add({ object, at: clock.wallMs() });
    },
    async find(digest) {
      const known = pending.get(digest);
      if (known !== undefined) return known;
      const [found] = await driver.all(queries.find({ digest }));
      return found ?? null;
    },
    async remove(digest) {
      pending.delete(digest);
      await driver.all(queries.remove({ digest }));
    },
    async conversations(tokenId) {
      const [counted] = await driver.all(queries.count({ tokenId }));
      return { count: Number(counted?.count ?? 0), max: MAX_CONVERSATIONS };
    },
    async sweep() {
      for (let swept = SWEPT_AT_ONCE; swept === SWEPT_AT_ONCE; ) {
        const before = clock.wallMs() - RESPONSE_MS;
        swept = (await driver.all(queries.sweep({ before }))).length;
      }
    },
    close: queue.close,
    giveUp: queue.giveUp,
  };
}

/** The last of an id counts, and one statement can't write a row twice. */
function valuesOf(rows: readonly Row[]) {
  const latest = new Map(rows.map((row) => [row.object.digest, row]));
  return [...latest.values()].map(({ object, at }) => [
    ...fields.map((field) => toStorable(object[field])),
    at,
  ]);
}

function createQueries({ builder }: Database) {
  const table = "stored_objects";
  const old = prepare<{ before: number }, { digest: string }>(({ int }) =>
    builder
      .deleteFrom(table)
      .where("digest", "in", (inner) =>
        inner
          .selectFrom(table)
          .select("digest")
          .where("kind", "=", "response")
          .where("created_at", "<", int("before"))
          .limit(SWEPT_AT_ONCE),
      )
      .returning("digest"),
  );
  return {
    insert: forRows(columns.length, (rows) =>
      builder
        .insertInto(table)
        .columns(columns)
        .expression(sql`values ${rows}`)
        .onConflict((conflict) =>
          conflict
            .column("digest")
            .doUpdateSet(
              Object.fromEntries(changed.map((name) => [name, sql.ref(`excluded.${name}`)])),
            ),
        ),
    ),
    find: prepare<{ digest: string }, StoredObject>(({ text }) =>
      builder.selectFrom(table).select(selectionOf(fields)).where("digest", "=", text("digest")),
    ),
    remove: prepare<{ digest: string }, unknown>(({ text }) =>
      builder.deleteFrom(table).where("digest", "=", text("digest")),
    ),
    count: prepare<{ tokenId: string }, { count: number | string }>(({ text }) =>
      builder
        .selectFrom(table)
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .where("token_id", "=", text("tokenId"))
        .where("kind", "=", "conversation"),
    ),
    sweep: old,
  };
}
