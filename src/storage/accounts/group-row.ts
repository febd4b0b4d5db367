import type { Selectable } from "kysely";
import { ProxyError } from "../../core/errors.ts";
import { isStorable, query, type Transaction } from "../driver/driver.ts";
import type { Builder } from "../driver/queries.ts";
import type { TokenGroupTable } from "../driver/schema.ts";

export type StoredGroup = Selectable<TokenGroupTable>;

export function* findGroup(builder: Builder, name: string): Transaction<StoredGroup | null> {
  if (!isStorable(name)) return null;
  const named = builder.selectFrom("token_groups").selectAll().where("name", "=", name);
  return (yield* query(named.compile()))[0] ?? null;
}

/** The group that an operator named for a token; in the turn of `oneAtATime` it stays. */
export function* chosenGroup(
  builder: Builder,
  name: string | null | undefined,
): Transaction<StoredGroup | null> {
  if (name == null) return null;
  const found = yield* findGroup(builder, name);
  if (found !== null) return found;
  throw new ProxyError("group_unknown", {
    params: { field: "group" },
    details: { field: "group" },
  });
}
