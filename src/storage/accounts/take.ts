import type { ReserveRequest, Token } from "../../core/accounts/accounts.ts";
import type { TokenGroup } from "../../core/accounts/groups.ts";
import { hasQuota, type Periods, type Spending, sumOf } from "../../core/accounts/quota.ts";
import type { Reservation } from "../../core/accounts/reservation.ts";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { createCharges, type Taking } from "./quotas.ts";
import { type OpenCall, reservationQueries } from "./reservations.ts";

/** A call that waits for its place in the quotas. */
export interface Pending {
  readonly id: string;
  readonly nowMs: number;
  readonly request: ReserveRequest;
  readonly wanted: Spending;
  readonly periods: Periods;
  /** Set before the database is asked to store it. */
  isSent: boolean;
}

/** The group of a token, if it has quotas. */
export function groupOf({ group }: Token): TokenGroup | null {
  return group !== null && hasQuota(group.quotas) ? group : null;
}

/**
 * Counts calls of one token, or of tokens of one group, and stores them as open. Returns undefined,
 * having changed nothing, if a quota has no room for all of them.
 */
export type Take = (
  sameGuard: readonly Pending[],
) => Transaction<readonly Reservation[] | undefined>;

/** 8 calls of one token cost its counters one statement, and as many of a group one more. */
export function createTake(database: Database, instanceId: string): Take {
  const takeGroup = createTakeGroup(database);
  const takeTokens = createTakeTokens(database, instanceId);
  const takeOne = createTakeOne(database, instanceId);
  const charge = createCharges(database.builder);
  const isOneStatement = (calls: readonly Pending[]) =>
    database.driver.kind === "postgres" && calls.length === 1;
  return function* (sameGuard) {
    const [first] = sameGuard;
    if (first === undefined) return undefined;
    for (const one of sameGuard) one.isSent = true;
    const group = yield* takeGroup(sameGuard, first);
    if (group === undefined) return undefined;
    const taken = isOneStatement(sameGuard)
      ? yield* takeOne(first, group)
      : yield* takeTokens(sameGuard, group);
    if (taken === undefined && group !== null) yield* charge([negative(group)]);
    return taken;
  };
}

/** Both steps as one statement, which SQLite can't run. */
function createTakeOne({ builder }: Database, instanceId: string) {
  const { takeAndOpen } = reservationQueries(builder);
  return function* (
    one: Pending,
    group: Taking | null,
  ): Transaction<readonly Reservation[] | undefined> {
    const { request } = one;
    const open = { ...reservationOf(one, one.periods, group), instanceId, request };
    const [periods] = yield* query(takeAndOpen(open));
    return periods && [reservationOf(one, periods, group)];
  };
}

/** Null without a group that has quotas; undefined if it has no room. */
function createTakeGroup({ builder }: Database) {
  const { take } = reservationQueries(builder);
  return function* (
    calls: readonly Pending[],
    { request, periods }: Pending,
  ): Transaction<Taking | null | undefined> {
    const group = groupOf(request.token);
    if (group === null) return null;
    const { id } = group;
    const taking = { tokenId: id, guard: id, ...sumOfAll(calls), ...periods };
    const [taken] = yield* query(take(taking, group.quotas));
    return taken && { ...taking, ...taken };
  };
}

function createTakeTokens({ builder }: Database, instanceId: string) {
  const { take, open } = reservationQueries(builder);
  const charge = createCharges(builder);
  return function* (
    calls: readonly Pending[],
    group: Taking | null,
  ): Transaction<readonly Reservation[] | undefined> {
    const periodsOf = new Map<string, Taking>();
    // in the order of tokens, as createCharges does
    const byToken = [...Map.groupBy(calls, ({ request }) => request.token.id)];
    for (const [tokenId, ofToken] of byToken.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const [first] = ofToken;
      if (first === undefined) continue;
      const { request, periods } = first;
      const guard = group?.tokenId ?? tokenId;
      const taking = { tokenId, guard, ...sumOfAll(ofToken), ...periods };
      const [taken] = yield* query(take(taking, request.token.quotas));
      if (taken === undefined) {
        yield* charge([...periodsOf.values()].map(negative));
        return undefined;
      }
      periodsOf.set(tokenId, { ...taking, ...taken });
    }
    // The rows keep the periods in which they were counted.
    const opened = calls.map((one): OpenCall => {
      const { periods, request } = one;
      const reservation = reservationOf(one, periodsOf.get(request.token.id) ?? periods, group);
      return { ...reservation, instanceId, request };
    });
    yield* query(open(opened));
    return opened.map(
      ({ instanceId: _instance, request: _request, ...reservation }) => reservation,
    );
  };
}

function sumOfAll(calls: readonly Pending[]): Spending {
  return calls.map(({ wanted }) => wanted).reduce(sumOf);
}

function negative(taking: Taking): Taking {
  const { requests, tokens, money } = taking;
  return { ...taking, requests: -requests, tokens: -tokens, money: -money };
}

function reservationOf(
  { id, request, wanted }: Pending,
  { day, month }: Periods,
  group: Taking | null,
): Reservation {
  return {
    ...wanted,
    id,
    tokenId: request.token.id,
    day,
    month,
    groupId: group?.tokenId ?? null,
    groupDay: group?.day ?? null,
    groupMonth: group?.month ?? null,
  };
}
