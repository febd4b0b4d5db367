import type { Compilable, CompiledQuery, RawBuilder } from "kysely";
import { type Builder, exactText, prepare } from "../driver/queries.ts";

/** A reservation as it was taken; enough for a ledger row if its process is dead. */
export interface Held {
  readonly id: string;
  readonly token_id: string;
  readonly at: number;
  readonly day: number;
  readonly month: number;
  readonly tokens: number;
  readonly money: string;
  readonly request_id: string;
  readonly dialect: string;
  readonly model: string;
  readonly on_disconnect: string;
}

/** Takes reservations out of the table. Of two that try, one gets each row. */
export function closeQuery(builder: Builder): (ids: readonly string[]) => CompiledQuery<Held> {
  return forIds((ids) =>
    deleted(builder, ids)
      .returning(["id", "token_id", "at", "day", "month", "tokens"])
      .returning(exactText("money").as("money"))
      .returning(["request_id", "dialect", "model", "on_disconnect"]),
  );
}

/** The same for those who know what they have reserved. */
export function closeOwnQuery(builder: Builder) {
  return forIds<{ id: string }>((ids) => deleted(builder, ids).returning("id"));
}

function deleted(builder: Builder, ids: readonly RawBuilder<string>[]) {
  return builder.deleteFrom("reservations").where("id", "in", ids);
}

/** Compiled once for each number of ids. */
function forIds<R>(build: (ids: readonly RawBuilder<string>[]) => Compilable<R>) {
  const bySize = new Map<number, (values: Record<string, string>) => CompiledQuery<R>>();
  return (ids: readonly string[]): CompiledQuery<R> => {
    let query = bySize.get(ids.length);
    if (query === undefined) {
      query = prepare<Record<string, string>, R>(({ text }) =>
        build(ids.map((_, at) => text(String(at)))),
      );
      bySize.set(ids.length, query);
    }
    return query(Object.fromEntries(ids.map((id, at) => [String(at), id])));
  };
}

/** Open calls whose process is not alive any more, or that are older than any call may be. */
export function abandonedQuery(builder: Builder) {
  return prepare<{ seenBefore: number; startedBefore: number }, { readonly id: string }>(
    ({ int }) =>
      builder
        .selectFrom("reservations")
        .leftJoin("owners", "owners.id", "reservations.owner")
        .select("reservations.id")
        .where((where) =>
          where.or([
            where("owners.id", "is", null),
            where("owners.seen_at", "<", int("seenBefore")),
            where("reservations.at", "<", int("startedBefore")),
          ]),
        )
        .orderBy("reservations.id")
        .limit(64),
  );
}
