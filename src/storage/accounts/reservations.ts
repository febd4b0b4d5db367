import { sql } from "kysely";
import type { ReserveRequest } from "../../core/accounts/accounts.ts";
import type { Periods, Quotas } from "../../core/accounts/quota.ts";
import type { Reservation } from "../../core/accounts/reservation.ts";
import type { Named } from "../../core/named.ts";
import { toStorable, wholeMs } from "../driver/driver.ts";
import {
  type Builder,
  columnName,
  forRows,
  type Placeholders,
  prepare,
  selectionOf,
} from "../driver/queries.ts";
import type { StoredRow } from "../ledger/columns.ts";
import { type TakeValues, type Taking, takeStatement, takeValues } from "./quotas.ts";

/** A call that holds a reservation, and the process that makes it. */
export interface OpenCall extends Reservation, Named<{ instanceId: string }> {
  readonly request: ReserveRequest;
}

/** What a ledger row needs if the process dies, and what it then gives back. */
export interface StoredReservation
  extends Pick<StoredRow, "requestId" | "at" | "dialect" | "model" | "onDisconnect">,
    Omit<Reservation, "requests"> {
  readonly owner: OpenCall["instanceId"];
}

interface Column<Value> {
  readonly type: "text" | "int";
  readonly value: (call: OpenCall) => Value;
}

const columns: { readonly [Field in keyof StoredReservation]: Column<StoredReservation[Field]> } = {
  id: { type: "text", value: ({ id }) => id },
  owner: { type: "text", value: ({ instanceId }) => instanceId },
  tokenId: { type: "text", value: ({ tokenId }) => tokenId },
  at: { type: "int", value: ({ request }) => wholeMs(request.at) },
  day: { type: "int", value: ({ day }) => day },
  month: { type: "int", value: ({ month }) => month },
  groupId: { type: "text", value: ({ groupId }) => groupId },
  groupDay: { type: "int", value: ({ groupDay }) => groupDay },
  groupMonth: { type: "int", value: ({ groupMonth }) => groupMonth },
  tokens: { type: "int", value: ({ tokens }) => tokens },
  money: { type: "int", value: ({ money }) => money },
  requestId: { type: "text", value: ({ request }) => toStorable(request.requestId) },
  dialect: { type: "text", value: ({ request }) => toStorable(request.dialect) },
  model: { type: "text", value: ({ request }) => toStorable(request.model) },
  onDisconnect: { type: "text", value: ({ request }) => toStorable(request.onDisconnect) },
};

// Object.keys forgets the type of the keys.
const fields = Object.keys(columns) as (keyof StoredReservation)[];
const columnNames = fields.map(columnName);

export function reservationQueries(builder: Builder) {
  const take = prepare<TakeValues, Periods>((placeholders) => takeStatement(builder, placeholders));
  const open = forRows(fields.length, (rows) =>
    builder.insertInto("reservations").columns(columnNames).expression(sql`values ${rows}`),
  );
  const takeAndOpen = prepare<TakeValues & StoredReservation, Periods>((placeholders) =>
    builder
      .with("taken", (inner) => takeStatement(inner, placeholders))
      .insertInto("reservations")
      .columns(columnNames)
      .expression(sql`select ${sql.join(fields.map(selected(placeholders)))} from taken`)
      .returning(["day", "month"]),
  );
  return {
    take: (taking: Taking, quotas: Quotas) => take(takeValues(taking, quotas)),
    open: (calls: readonly OpenCall[]) =>
      open(calls.map((call) => fields.map((field) => columns[field].value(call)))),
    /** Both steps for one call as one statement, which SQLite can't run. */
    takeAndOpen: (call: OpenCall) => {
      const values = fields.map((field) => [field, columns[field].value(call)]);
      // Cast: `fields` lists every key of StoredReservation.
      const row = Object.fromEntries(values) as StoredReservation;
      const taking = { ...call, guard: call.tokenId };
      return takeAndOpen({ ...row, ...takeValues(taking, call.request.token.quotas) });
    },
  };
}

/** Cast, because a SELECT gives a bare value no type. The counters know the period they count in. */
function selected({ int, text }: Placeholders<StoredReservation>) {
  return (field: keyof StoredReservation) => {
    if (field === "day" || field === "month") return sql.ref(field);
    return columns[field].type === "int" ? int(field) : sql`cast(${text(field)} as text)`;
  };
}

/** A stored reservation as it is read: money comes as text. */
export type ClosedReservation = Omit<StoredReservation, "money"> & { readonly money: string };

/** Delete reservations by id. If two processes try, one of them gets each row. */
export function closeQueries(builder: Builder) {
  const all = selectionOf(fields, "money");
  const remove = builder.deleteFrom("reservations");
  return {
    /** Returns the rows. */
    close: forRows<ClosedReservation>(1, (ids) =>
      remove.where(sql<boolean>`id in (${ids})`).returning(all).$castTo<ClosedReservation>(),
    ),
    /** For a process that knows what it has reserved. */
    closeOwn: forRows<{ readonly id: string }>(1, (ids) =>
      remove.where(sql<boolean>`id in (${ids})`).returning("id"),
    ),
  };
}

/** Owns what is held for answers in the background; no process has this id. */
export const BACKGROUND_OWNER = "background";

/** Open calls whose process is dead, or which are older than a call can be. */
export function abandonedQuery(builder: Builder) {
  return prepare<
    { seenFrom: number; seenTo: number; startedBefore: number },
    { readonly id: string }
  >(({ int }) =>
    builder
      .selectFrom("reservations")
      .leftJoin("owners", "owners.id", "reservations.owner")
      .select("reservations.id")
      .where("reservations.owner", "<>", sql.lit(BACKGROUND_OWNER))
      .where((where) =>
        where.or([
          where("owners.id", "is", null),
          where("owners.seen_at", "<", int("seenFrom")),
          where("owners.seen_at", ">", int("seenTo")),
          where("reservations.at", "<", int("startedBefore")),
        ]),
      )
      .orderBy("reservations.id")
      .limit(64),
  );
}
