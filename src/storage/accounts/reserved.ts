import { sql } from "kysely";
import {
  noSpending,
  type Periods,
  type QuotaUse,
  type Spending,
  sumOf,
} from "../../core/accounts/quota.ts";
import type { Database } from "../driver/database.ts";
import { prepare } from "../driver/queries.ts";
import { isPresent } from "./quotas.ts";

interface OpenSum extends Periods, Omit<Spending, "money"> {
  readonly money: string;
}

/** What open calls hold of the quotas of a token or a group in the present periods. */
export function createReserved({ driver, builder }: Database) {
  // an id is that of a token or of a group
  const open = prepare<{ id: string }, OpenSum>(({ text }) => {
    const sums = [
      sql<number>`cast(count(*) as bigint)`.as("requests"),
      sql<number>`cast(sum(tokens) as bigint)`.as("tokens"),
      sql<string>`cast(sum(money) as text)`.as("money"),
    ] as const;
    const ofToken = builder
      .selectFrom("reservations")
      .select(["day", "month", ...sums])
      .where("token_id", "=", text("id"))
      .groupBy(["day", "month"]);
    const ofGroup = builder
      .selectFrom("reservations")
      .select([sql.ref<number>("group_day").as("day"), sql.ref<number>("group_month").as("month")])
      .select(sums)
      .where("group_id", "=", text("id"))
      .groupBy(["group_day", "group_month"]);
    return ofToken.unionAll(ofGroup);
  });
  return async (id: string, now: Periods): Promise<QuotaUse> => {
    const sums = (await driver.all(open({ id }))).map((sum) => ({
      ...sum,
      money: BigInt(sum.money),
    }));
    const held = (period: keyof Periods) =>
      sums.filter((sum) => isPresent(sum[period], now[period])).reduce(sumOf, noSpending);
    return { day: held("day"), month: held("month") };
  };
}
