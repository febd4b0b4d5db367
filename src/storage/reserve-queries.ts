import { sql } from "kysely";
import type { ReserveRequest } from "../core/accounts.ts";
import type { Periods, Spending } from "../core/quota.ts";
import { type Builder, type Places, prepare } from "./queries.ts";
import { takeStatement } from "./quota-take.ts";
import { cleaned } from "./text.ts";

/** Values of both statements; the quota limits come beside them. */
export interface ReserveValues extends ReturnType<typeof openValues>, Periods {
  readonly id: string;
  readonly owner: string;
  readonly [limit: string]: string | number | bigint;
}

export function openValues(request: ReserveRequest, wanted: Spending) {
  return {
    tokenId: request.token.id,
    at: Math.trunc(request.at),
    tokens: wanted.tokens,
    money: wanted.money,
    requestId: cleaned(request.requestId),
    dialect: cleaned(request.dialect),
    model: cleaned(request.model),
    onDisconnect: cleaned(request.onDisconnect),
  };
}

const openColumns = [
  "id",
  "owner",
  "token_id",
  "at",
  "tokens",
  "money",
  "request_id",
  "dialect",
  "model",
  "on_disconnect",
  "day",
  "month",
] as const;

/** The two steps of a reservation, for one transaction. */
export function openCall(builder: Builder) {
  return {
    take: prepare<ReserveValues, Periods>((places) => takeStatement(builder, places)),
    open: prepare<ReserveValues, unknown>((places) =>
      builder
        .insertInto("reservations")
        .columns(openColumns)
        .expression(
          sql`values (${callValues(places)}, ${places.int("day")}, ${places.int("month")})`,
        ),
    ),
  };
}

/** Both steps as one statement, which SQLite cannot write. */
export function takeAndOpen(builder: Builder) {
  return prepare<ReserveValues, Periods>((places) =>
    builder
      .with("taken", (inner) => takeStatement(inner, places))
      .insertInto("reservations")
      .columns(openColumns)
      .expression(sql`select ${callValues(places)}, day, month from taken`)
      .returning(["day", "month"]),
  );
}

/** In the order of `openColumns`, cast because a select gives a bare value no type. */
function callValues({ int, text }: Places) {
  const typed = (name: string) => sql`cast(${text(name)} as text)`;
  return sql.join([
    typed("id"),
    typed("owner"),
    typed("tokenId"),
    int("at"),
    int("tokens"),
    int("money"),
    typed("requestId"),
    typed("dialect"),
    typed("model"),
    typed("onDisconnect"),
  ]);
}
