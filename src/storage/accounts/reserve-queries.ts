import { type CompiledQuery, sql } from "kysely";
import type { ReserveRequest } from "../../core/accounts/accounts.ts";
import type { Periods, Quotas, Spending } from "../../core/accounts/quota.ts";
import { forRows, type RowValues } from "../driver/many-rows.ts";
import { type Builder, type Places, prepare } from "../driver/queries.ts";
import { cleaned } from "../driver/text.ts";
import { limitValues, takeStatement } from "./quota-take.ts";

/** What is to be taken from the counters of a token. */
export interface Taking extends Periods, Spending {
  readonly tokenId: string;
  readonly quotas: Quotas;
}

/** A call as it is kept while it is open, with what was taken for it. */
export interface Opening extends Periods, Spending {
  readonly id: string;
  readonly owner: string;
  readonly request: ReserveRequest;
}

/** `day` and `month` are last: on Postgres they may come from the counters. */
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

function openValues({ id, owner, request, tokens, money, day, month }: Opening): RowValues {
  return [
    id,
    owner,
    request.token.id,
    Math.trunc(request.at),
    tokens,
    money,
    cleaned(request.requestId),
    cleaned(request.dialect),
    cleaned(request.model),
    cleaned(request.onDisconnect),
    day,
    month,
  ];
}

type Values = Readonly<Record<string, unknown>>;

function takeValues({ quotas, ...taking }: Taking): Values {
  return { ...limitValues(quotas), ...taking };
}

/** The two steps of reservations, for one transaction. */
export function openCalls(builder: Builder) {
  const take = prepare<Values, Periods>((places) => takeStatement(builder, places));
  const open = forRows(openColumns, (values) =>
    builder.insertInto("reservations").columns(openColumns).expression(values),
  );
  return {
    take: (taking: Taking) => take(takeValues(taking)),
    open: (calls: readonly Opening[]) => open(calls.map(openValues)),
  };
}

/** Both steps for one call as one statement, which SQLite cannot write. */
export function takeAndOpen(
  builder: Builder,
): (taking: Taking, call: Opening) => CompiledQuery<Periods> {
  const query = prepare<Values, Periods>((places) =>
    builder
      .with("taken", (inner) => takeStatement(inner, places))
      .insertInto("reservations")
      .columns(openColumns)
      .expression(sql`select ${callValues(places)}, day, month from taken`)
      .returning(["day", "month"]),
  );
  return (taking, call) => {
    const values = openValues(call).map((value, at) => [openColumns[at], value]);
    return query({ ...Object.fromEntries(values), ...takeValues(taking) });
  };
}

/** In the order of `openColumns`, cast because a select gives a bare value no type. */
function callValues({ int, text }: Places) {
  const numbers: readonly string[] = ["at", "tokens", "money"];
  const columns = openColumns.slice(0, -2);
  return sql.join(
    columns.map((name) => (numbers.includes(name) ? int(name) : sql`cast(${text(name)} as text)`)),
  );
}
