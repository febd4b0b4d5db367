import type { LedgerEntry } from "../../core/accounts/accounts.ts";
import {
  type BackgroundCall,
  type BackgroundCalls,
  FIRST_LOOK_MS,
  type KeptCall,
} from "../../core/accounts/background.ts";
import type { Reservation } from "../../core/accounts/reservation.ts";
import type { CallRecord, Clock } from "../../core/ports.ts";
import { BACKGROUND_OWNER } from "../accounts/reservations.ts";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { newId } from "../driver/ids.ts";
import { settledValues, withoutImplausibleUsage } from "./columns.ts";
import { createWriteEnded } from "./settle.ts";

/** A row takes a kilobyte. Calls past this are estimated at once. */
const MAX_KEPT = 10_000;
/** A process that died with a call is followed by another after this time. */
const CLAIM_MS = 60_000;

/** Keeps calls whose answers are made in the background. Their reservations stay open meanwhile. */
export function createBackgroundCalls(
  database: Database,
  clock: Pick<Clock, "wallMs">,
  maxKept = MAX_KEPT,
): BackgroundCalls {
  const { driver, builder } = database;
  const writeEnded = createWriteEnded(database);
  const table = "background_answers";
  return {
    keep: (call) => driver.transaction(() => keep(database, call, clock.wallMs(), maxKept)),
    async claim(most) {
      const now = clock.wallMs();
      const due = builder.selectFrom(table).select("id").where("due_at", "<=", now);
      const found = await driver.all(due.orderBy("due_at").limit(most).compile());
      if (found.length === 0) return [];
      const ids = found.map(({ id }) => id);
      const claimed = await driver.all(
        builder
          .updateTable(table)
          .set({ due_at: now + CLAIM_MS })
          .where("id", "in", ids)
          .where("due_at", "<=", now)
          .returning(["id", "call"])
          .compile(),
      );
      return claimed.map(({ id, call }) => ({ ...read(call), id }));
    },
    async postpone({ id }, until) {
      const update = builder.updateTable(table).set({ due_at: until });
      await driver.all(update.where("id", "=", id).compile());
    },
    settle: ({ id, reservation }, given) =>
      driver.transaction(function* (): Transaction<void> {
        const remove = builder.deleteFrom(table).where("id", "=", id).returning("id").compile();
        if ((yield* query(remove)).length === 0) return;
        const entry = withoutImplausibleUsage(given);
        yield* writeEnded([{ entry, reservation, values: settledValues(id, entry) }]);
      }),
  };
}

function* keep(
  { builder }: Database,
  call: BackgroundCall,
  now: number,
  maxKept: number,
): Transaction<boolean> {
  const table = "background_answers";
  const count = builder.selectFrom(table).select(({ fn }) => fn.countAll<number>().as("kept"));
  const [counted] = yield* query(count.compile());
  if (Number(counted?.kept ?? 0) >= maxKept) return false;
  const id = call.reservation?.id ?? newId(call.entry.at);
  const row = { id, due_at: now + FIRST_LOOK_MS, call: written(call) };
  yield* query(builder.insertInto(table).values(row).compile());
  const open = builder.updateTable("reservations").set({ owner: BACKGROUND_OWNER });
  yield* query(open.where("id", "=", id).compile());
  return true;
}

/** Money as text: JSON has no number for it. */
type Written = Omit<KeptCall, "id" | "reservation"> & {
  readonly reservation: (Omit<Reservation, "money"> & { readonly money: string }) | null;
};

/** What calls have that an earlier version did not keep. */
const NOT_YET_KEPT = { upstream: null, upstreamModel: null, tries: 0 } as const;

function written({ entry: given, reserved, reservation }: BackgroundCall): string {
  // a row has no address
  const { bucket: _address, ...entry } = given as LedgerEntry & Partial<CallRecord>;
  const held = reservation && { ...reservation, money: String(reservation.money) };
  return JSON.stringify({ entry: { ...entry, cost: null }, reserved, reservation: held });
}

function read(text: string): BackgroundCall {
  // Cast: written only above.
  const { reservation, entry, ...call } = JSON.parse(text) as Written;
  return {
    ...call,
    entry: { ...NOT_YET_KEPT, ...entry },
    reservation: reservation && { ...reservation, money: BigInt(reservation.money) },
  };
}
