import type { Database } from "../driver/database.ts";

type MaybeId = string | null;

/** The names of the tokens among these ids. */
export function createNameLookup({ driver, builder }: Database) {
  return async (ids: readonly MaybeId[]): Promise<ReadonlyMap<MaybeId, string>> => {
    const known = [...new Set(ids)].filter((id) => id !== null);
    if (known.length === 0) return new Map();
    const tokens = builder.selectFrom("tokens").select(["id", "name"]).where("id", "in", known);
    const rows = await driver.report(tokens.compile());
    return new Map(rows.map(({ id, name }) => [id, name]));
  };
}
