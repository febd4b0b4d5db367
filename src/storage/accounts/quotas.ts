import { type QueryCreator, type Selectable, sql } from "kysely";
import type { TokenId } from "../../core/accounts/accounts.ts";
import {
  noSpending,
  type Periods,
  type QuotaKind,
  type QuotaPeriod,
  type Quotas,
  type QuotaUse,
  quotaKinds,
  quotaPeriods,
  type Spending,
  sumOf,
} from "../../core/accounts/quota.ts";
import type { Reservation } from "../../core/accounts/reservation.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { type Builder, exactText, type Placeholders, prepare } from "../driver/queries.ts";
import type { QuotaUseTable, Tables } from "../driver/schema.ts";

/** The six counters of a token, which are in one row. */
const counters = quotaPeriods.flatMap((period) =>
  quotaKinds.map((kind) => {
    const column = `${period}_${kind}` as const;
    return { period, kind, column, limit: `${column}_limit` as const };
  }),
);

/** Above every value of a 64-bit column. */
const UNBOUNDED = 9_223_372_036_854_775_807n;

/** What one or more calls take from the counters of their token or its group. */
export interface Taking extends Periods, Spending {
  readonly tokenId: TokenId;
  /** The group, else the token. Whoever takes from several counters does so in the order of guards. */
  readonly guard: TokenId;
}

/** The values that `takeStatement` binds. */
export type TakeValues = Taking & Record<(typeof counters)[number]["limit"], bigint>;

export function takeValues(taking: Taking, quotas: Quotas): TakeValues {
  // The loop adds the limits.
  const values = { ...taking } as TakeValues;
  for (const { limit, period, kind } of counters) {
    values[limit] = BigInt(quotas[period][kind] ?? UNBOUNDED);
  }
  return values;
}

/** The same from the counters of a reservation's token and its group, the group first. */
export function takings(
  { tokenId, day, month, groupId, groupDay, groupMonth }: CountedCall,
  { requests, tokens, money }: Spending,
): readonly Taking[] {
  const guard = groupId ?? tokenId;
  const own = { guard, tokenId, day, month, requests, tokens, money };
  // releases before groups wrote none
  if (groupId == null || groupDay == null || groupMonth == null) return [own];
  return [{ ...own, tokenId: groupId, day: groupDay, month: groupMonth }, own];
}

/** Whose counters have counted a call, and in which periods. */
export type CountedCall = Pick<
  Reservation,
  "tokenId" | "day" | "month" | "groupId" | "groupDay" | "groupMonth"
>;

/**
 * Checks all six quotas of a token, or a group, and takes from each or from none. This is one UPDATE of one row,
 * so two callers can't both take the last place. A period that is over starts again.
 */
export function takeStatement(
  builder: QueryCreator<Tables>,
  { int, text }: Placeholders<TakeValues>,
) {
  const isPresent = (period: QuotaPeriod) =>
    sql`${sql.ref(period)} between ${int(period)} and ${int(period)} + 1`;
  const present = (period: QuotaPeriod) =>
    sql`case when ${isPresent(period)} then ${sql.ref(period)} else ${int(period)} end`;
  const after = (period: QuotaPeriod, kind: QuotaKind) => {
    const used = sql.ref(`${period}_${kind}`);
    return sql`case when ${isPresent(period)} then ${used} else 0 end + ${int(kind)}`;
  };
  const fits = counters.map(({ period, kind, limit }) => {
    return sql<boolean>`${after(period, kind)} <= ${int(limit)}`;
  });
  return builder
    .updateTable("quota_use")
    .set(Object.fromEntries(quotaPeriods.map((period) => [period, present(period)])))
    .set(Object.fromEntries(counters.map((one) => [one.column, after(one.period, one.kind)])))
    .where("token_id", "=", text("tokenId"))
    .where(sql.join<boolean>(fits, sql` and `))
    .returning(["day", "month"]);
}

type StoredUse = Selectable<QuotaUseTable>;

export function useQuery(builder: Builder) {
  return prepare<{ tokenId: string }, StoredUse>(({ text }) =>
    builder
      .selectFrom("quota_use")
      .select(["token_id", "day", "month"])
      .select(
        counters.map(({ kind, column }) =>
          (kind === "money" ? exactText(column) : sql.ref(column)).as(column),
        ),
      )
      .where("token_id", "=", text("tokenId"))
      .$castTo<StoredUse>(),
  );
}

/** What a counter row says about the present periods. */
export function useOf(stored: StoredUse | undefined, now: Periods): QuotaUse {
  const use = (period: QuotaPeriod): Spending => {
    if (stored === undefined || !isPresent(stored[period], now[period])) return noSpending;
    return {
      requests: stored[`${period}_requests`],
      tokens: stored[`${period}_tokens`],
      money: BigInt(stored[`${period}_money`]),
    };
  };
  return { day: use("day"), month: use("month") };
}

/**
 * A clock that went back a little must not open a new period, so a row that is one period ahead
 * still counts. A row further ahead was written by a wrong clock and starts again.
 */
export function isPresent(stored: number, now: number): boolean {
  return stored === now || stored === now + 1;
}

/** Adds to counters or gives back, in the periods of the reservation. Past periods stay as they are. */
export function createCharges(builder: Builder): (charges: readonly Taking[]) => Transaction<void> {
  const charge = prepare<Taking, unknown>(({ int, text }) => {
    const sum = ({ column, period, kind }: (typeof counters)[number]) =>
      sql`${sql.ref(column)} + case when ${sql.ref(period)} = ${int(period)} then ${int(kind)} else 0 end`;
    return builder
      .updateTable("quota_use")
      .set(Object.fromEntries(counters.map((counter) => [counter.column, sum(counter)])))
      .where("token_id", "=", text("tokenId"));
  });
  return function* (charges) {
    const sums = new Map<string, Taking>();
    for (const one of charges) {
      const order = one.tokenId === one.guard ? "" : one.tokenId;
      const key = `${one.guard} ${order} ${one.day} ${one.month}`;
      const sum = sums.get(key);
      sums.set(key, sum === undefined ? one : { ...one, ...sumOf(sum, one) });
    }
    // In one order, as in reserve.ts, so that two transactions never wait for each other.
    for (const [, sum] of [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      yield* query(charge(sum));
    }
  };
}
