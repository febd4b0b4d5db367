import type { CompiledQuery } from "kysely";
import { sql } from "kysely";
import type { Periods, Quotas, QuotaUse, Spending } from "../core/quota.ts";
import { type Builder, exactText, prepare } from "./queries.ts";

/** No bound, as a number that a 64-bit column is never above. */
const unbounded = 9_223_372_036_854_775_807n;

export interface TakeValues extends Record<string, unknown> {
  readonly tokenId: string;
  readonly day: number;
  readonly month: number;
  readonly tokens: number;
  readonly money: bigint;
}

export interface ChargeValues extends Record<string, unknown> {
  readonly tokenId: string;
  readonly day: number;
  readonly month: number;
  readonly requests: number;
  readonly tokens: number;
  readonly money: bigint;
}

interface StoredUse extends Periods {
  readonly day_requests: number;
  readonly day_tokens: number;
  readonly day_money: string;
  readonly month_requests: number;
  readonly month_tokens: number;
  readonly month_money: string;
}

/**
 * The statements on a token's one counter row. Day and month stand in the same row, so that one
 * UPDATE checks and takes all six quotas, and two callers can never both take the last place.
 */
export function createQuotaUse(builder: Builder) {
  return {
    take: takeQuery(builder),
    charge: chargeQuery(builder),
    read: prepare<{ tokenId: string }, StoredUse>(({ text }) =>
      builder
        .selectFrom("quota_use")
        .select(["day", "day_requests", "day_tokens", exactText("day_money").as("day_money")])
        .select(["month", "month_requests", "month_tokens"])
        .select(exactText("month_money").as("month_money"))
        .where("token_id", "=", text("tokenId")),
    ),
  };
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

/** What a counter row says about the present periods. */
export function useOf(stored: StoredUse | undefined, now: Periods): QuotaUse {
  const nothing: Spending = { requests: 0, tokens: 0, money: 0n };
  if (stored === undefined) return { day: nothing, month: nothing };
  const day = {
    requests: stored.day_requests,
    tokens: stored.day_tokens,
    money: BigInt(stored.day_money),
  };
  const month = {
    requests: stored.month_requests,
    tokens: stored.month_tokens,
    money: BigInt(stored.month_money),
  };
  return {
    day: isPresent(stored.day, now.day) ? day : nothing,
    month: isPresent(stored.month, now.month) ? month : nothing,
  };
}

/**
 * A clock that went back a little must not open a fresh period, so a row that is one period ahead
 * still counts; one that is further ahead was written by a wrong clock and starts anew.
 */
function isPresent(stored: number, now: number): boolean {
  return stored === now || stored === now + 1;
}

function takeQuery(builder: Builder) {
  return prepare<TakeValues, Periods>(({ int, text }) => {
    const present = (period: "day" | "month") =>
      sql`${sql.ref(period)} between ${int(period)} and ${int(period)} + 1`;
    const kept = (period: "day" | "month", kind: string) =>
      sql`case when ${present(period)} then ${sql.ref(`${period}_${kind}`)} else 0 end`;
    const period = (name: "day" | "month") =>
      sql<number>`case when ${present(name)} then ${sql.ref(name)} else ${int(name)} end`;
    const one = sql`1`;
    const after = (name: "day" | "month", kind: string) =>
      sql`${kept(name, kind)} + ${kind === "requests" ? one : int(kind)}`;
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
  });
}

/** Adds (or gives back) where the reservation was taken; periods that are over stay as they are. */
function chargeQuery(builder: Builder): (values: ChargeValues) => CompiledQuery<unknown> {
  return prepare<ChargeValues, unknown>(({ int, text }) => {
    const added = <T>(period: "day" | "month", kind: "requests" | "tokens" | "money") => {
      const column = sql.ref(`${period}_${kind}`);
      return sql<T>`${column} + case when ${sql.ref(period)} = ${int(period)} then ${int(kind)} else 0 end`;
    };
    return builder
      .updateTable("quota_use")
      .set({
        day_requests: added<number>("day", "requests"),
        day_tokens: added<number>("day", "tokens"),
        day_money: added<bigint>("day", "money"),
        month_requests: added<number>("month", "requests"),
        month_tokens: added<number>("month", "tokens"),
        month_money: added<bigint>("month", "money"),
      })
      .where("token_id", "=", text("tokenId"));
  });
}
