import type { NetworkStore } from "../../core/alerts.ts";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";

/** A row a network, up to a number for each token and day. */
export function createNetworks({ driver, builder }: Database): NetworkStore {
  return {
    add: (token_id, day, network, most) =>
      driver.transaction(function* (): Transaction<number> {
        const ofDay = builder
          .selectFrom("token_networks")
          .select(({ fn }) => fn.countAll<number>().as("networks"))
          .where("token_id", "=", token_id)
          .where("day", "=", day)
          .compile();
        const countOf = (rows: readonly { readonly networks: number }[]) =>
          Number(rows[0]?.networks ?? 0);
        const before = countOf(yield* query(ofDay));
        if (before >= most) return before;
        const row = builder.insertInto("token_networks").values({ token_id, day, network });
        yield* query(row.onConflict((conflict) => conflict.doNothing()).compile());
        return countOf(yield* query(ofDay));
      }),
  };
}
