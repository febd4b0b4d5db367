import { sql } from "kysely";
import type { LedgerEntry } from "../../core/accounts/accounts.ts";
import { noSpending, type Spending } from "../../core/accounts/quota.ts";
import type { Reservation } from "../../core/accounts/reservation.ts";
import { createCharges, type Taking, takings } from "../accounts/quotas.ts";
import { closeQueries } from "../accounts/reservations.ts";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { newId } from "../driver/ids.ts";
import { type Builder, forRows, type RowValues } from "../driver/queries.ts";
import { isRefusal, MAX_BATCH } from "../driver/writes.ts";
import { ledgerColumns, settledValues, withoutImplausibleUsage } from "./columns.ts";
import { createSettleQueue } from "./settle-queue.ts";

/** A call that is over, with its row. */
interface Ended {
  readonly entry: LedgerEntry;
  readonly reservation: Reservation | null;
  readonly values: RowValues;
}

interface EndedReserved extends Ended {
  readonly reservation: Reservation;
}

/** A row that was never written, by its columns. */
export type LostRow = Readonly<Record<string, unknown>>;

/**
 * Writes calls that are over. A call without a reservation costs one insert. The others delete their
 * reservation, write the row and correct the counters in one transaction.
 */
export function createSettlement(
  database: Database,
  onLost: (row: LostRow, error: unknown) => void,
) {
  const { driver, writes } = database;
  const writeEnded = createWriteEnded(database);
  const write = writes.group<Ended, undefined>(
    {
      keyOf: () => "",
      *write(ended) {
        yield* writeEnded(ended);
        return ended.map(() => undefined);
      },
      isOneStatement: (ended) => ended.length <= driver.rowsPerInsert && !ended.some(isReserved),
    },
    { partitions: 1, maxBatch: MAX_BATCH },
  );
  const queue = createSettleQueue<Ended>({
    write,
    isRefusal,
    onLost: (ended, error) => onLost(lostRow(ended), error),
  });
  return {
    settle: async (given: LedgerEntry, reservation: Reservation | null): Promise<void> => {
      const entry = withoutImplausibleUsage(given);
      // The values keep their id, so that a row that is written again is the same row.
      const values = settledValues(reservation?.id ?? newId(entry.at), entry);
      await queue.add({ entry, reservation, values });
    },
    close: queue.close,
    giveUp: queue.giveUp,
  };
}

function lostRow({ values }: Ended): LostRow {
  const shown = values.map((value) => (typeof value === "bigint" ? value.toString() : value));
  return Object.fromEntries(ledgerColumns.map((column, at) => [column, shown[at]]));
}

/** The rows and the counters of calls that are over, as part of a transaction. */
export function createWriteEnded(
  database: Database,
): (ended: readonly Ended[]) => Transaction<void> {
  const { driver, builder } = database;
  const inserts = createInserts(builder);
  const settleReserved = createSettleReserved(database, inserts);
  return function* (ended) {
    const unreserved = ended.filter((one) => one.reservation === null);
    for (const chunk of chunks(unreserved, driver.rowsPerInsert)) {
      yield* query(inserts.fresh(chunk.map((one) => one.values)));
    }
    yield* settleReserved(ended.filter(isReserved));
  };
}

function isReserved(ended: Ended): ended is EndedReserved {
  return ended.reservation !== null;
}

/** A row keeps its id and its time, whichever process writes it. */
const KEY: readonly (typeof ledgerColumns)[number][] = ["at", "id"];

/**
 * Inserts of ledger rows. `fresh` rows have new ids: an existing row is the same row, written by an
 * attempt whose answer was lost. `late` rows have the id of their reservation and may replace a row
 * that another process recovered too early; they return the ids that were written.
 */
export function createInserts(builder: Builder) {
  const into = builder.insertInto("ledger").columns(ledgerColumns);
  const changed = ledgerColumns
    .filter((column) => !KEY.includes(column))
    .map((column) => [column, sql.ref(`excluded.${column}`)]);
  return {
    fresh: forRows(ledgerColumns.length, (rows) =>
      into
        .expression(sql`values ${rows}`)
        .onConflict((conflict) => conflict.columns(KEY).doNothing()),
    ),
    late: forRows<{ readonly id: string }>(ledgerColumns.length, (rows) =>
      into
        .expression(sql`values ${rows}`)
        .onConflict((conflict) =>
          conflict
            .columns(KEY)
            .doUpdateSet(Object.fromEntries(changed))
            .where("ledger.state", "=", sql.lit("recovered")),
        )
        .returning("id"),
    ),
  };
}

function createSettleReserved(
  { driver, builder }: Database,
  inserts: ReturnType<typeof createInserts>,
): (ended: readonly EndedReserved[]) => Transaction<void> {
  const { closeOwn } = closeQueries(builder);
  const charge = createCharges(builder);
  return function* (ended) {
    const charges: Taking[] = [];
    for (const chunk of chunks(ended, driver.rowsPerInsert)) {
      const closed = yield* query(closeOwn(chunk.map(({ reservation }) => [reservation.id])));
      const [open, others] = partition(chunk, closed);
      // A reservation is deleted together with the insert of its row, so these have none yet.
      if (open.length > 0) yield* query(inserts.fresh(open.map(({ values }) => values)));
      charges.push(...open.flatMap((one) => difference(one, one.reservation)));
      if (others.length === 0) continue;
      // Settled before, so the row stays; or recovered, so the reserved amounts were given back.
      const written = yield* query(inserts.late(others.map(({ values }) => values)));
      const [replaced] = partition(others, written);
      charges.push(...replaced.flatMap((one) => difference(one, noSpending)));
    }
    yield* charge(charges);
  };
}

/** Splits calls into those that got a row and the rest. A call that comes twice gets one row. */
function partition(
  calls: readonly EndedReserved[],
  rows: readonly { readonly id: string }[],
): readonly [EndedReserved[], EndedReserved[]] {
  const ids = new Set(rows.map(({ id }) => id));
  const parts: [EndedReserved[], EndedReserved[]] = [[], []];
  for (const call of calls) parts[ids.delete(call.reservation.id) ? 0 : 1].push(call);
  return parts;
}

/** The request counts as spent unless the call was refused before it reached the upstream. */
function difference({ entry, reservation }: EndedReserved, reserved: Spending): readonly Taking[] {
  const { usage, cost, outcome } = entry;
  return takings(reservation, {
    requests: outcome === "refused" ? -1 : 0,
    tokens: (usage?.totalTokens ?? 0) - reserved.tokens,
    money: (cost ?? 0n) - reserved.money,
  });
}

export function chunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  const parts: (readonly T[])[] = [];
  for (let at = 0; at < all.length; at += size) parts.push(all.slice(at, at + size));
  return parts;
}
