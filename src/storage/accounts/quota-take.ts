import { type QueryCreator, sql } from "kysely";
import type { Quotas } from "../../core/accounts/quota.ts";
import type { Places } from "../driver/queries.ts";
import type { Tables } from "../driver/schema.ts";

/** No bound, as a number that a 64-bit column is never above. */
const unbounded = 9_223_372_036_854_775_807n;

/**
 * Checks all six quotas of a token and takes from each, or from none. Day and month stand in one
 * row, so this is one UPDATE, and two callers can never both take the last place. Wants the values
 * of `limitValues`, the periods, `tokenId`, `requests`, `tokens` and `money`.
 */
export function takeStatement(builder: QueryCreator<Tables>, { int, text }: Places) {
  const present = (period: "day" | "month") =>
    sql`${sql.ref(period)} between ${int(period)} and ${int(period)} + 1`;
  const kept = (period: "day" | "month", kind: string) =>
    sql`case when ${present(period)} then ${sql.ref(`${period}_${kind}`)} else 0 end`;
  const period = (name: "day" | "month") =>
    sql<number>`case when ${present(name)} then ${sql.ref(name)} else ${int(name)} end`;
  const after = (name: "day" | "month", kind: string) => sql`${kept(name, kind)} + ${int(kind)}`;
  const fits = (name: "day" | "month", kind: string, limit: string) =>
    sql<boolean>`${after(name, kind)} <= ${int(limit)}`;
  return builder
    .updateTable("quota_use")
    .set({
      day: period("day"),
      day_requests: sql<number>`${after("day", "requests")}`,
      day_tokens: sql<number>`${after("day", "tokens")}`,
      day_money: sql<bigint>`${after("day", "money")}`,
      month: period("month"),
      month_requests: sql<number>`${after("month", "requests")}`,
      month_tokens: sql<number>`${after("month", "tokens")}`,
      month_money: sql<bigint>`${after("month", "money")}`,
    })
    .where("token_id", "=", text("tokenId"))
    .where(fits("day", "requests", "dayRequestsLimit"))
    .where(fits("day", "tokens", "dayTokensLimit"))
    .where(fits("day", "money", "dayMoneyLimit"))
    .where(fits("month", "requests", "monthRequestsLimit"))
    .where(fits("month", "tokens", "monthTokensLimit"))
    .where(fits("month", "money", "monthMoneyLimit"))
    .returning(["day", "month"]);
}

/** The limits as the take statement wants them. */
export function limitValues(quotas: Quotas): Record<string, bigint> {
  const { day, month } = quotas;
  return {
    dayRequestsLimit: BigInt(day.requests ?? unbounded),
    dayTokensLimit: BigInt(day.tokens ?? unbounded),
    dayMoneyLimit: day.money ?? unbounded,
    monthRequestsLimit: BigInt(month.requests ?? unbounded),
    monthTokensLimit: BigInt(month.tokens ?? unbounded),
    monthMoneyLimit: month.money ?? unbounded,
  };
}
