import type { CompiledQuery } from "kysely";
import { sql } from "kysely";
import type { Periods, QuotaUse, Spending } from "../../core/accounts/quota.ts";
import { type Builder, exactText, prepare } from "../driver/queries.ts";

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

/** Reading and correcting a token's one counter row; taking is in quota-take.ts. */
export function createQuotaUse(builder: Builder) {
  return {
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
