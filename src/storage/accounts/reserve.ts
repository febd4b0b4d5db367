import type { Reservation, ReserveRequest, ReserveResult } from "../../core/accounts/accounts.ts";
import {
  hasQuota,
  type Periods,
  periodsAt,
  quotaStates,
  refusingQuota,
  type Spending,
  sumOf,
} from "../../core/accounts/quota.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { newId } from "../driver/ids.ts";
import type { Doubtful } from "./doubtful.ts";
import { useOf, useQuery } from "./quotas.ts";
import { reservationQueries } from "./reservations.ts";

/** A call that waits for its place in the quotas. */
interface Pending {
  readonly id: string;
  readonly nowMs: number;
  readonly request: ReserveRequest;
  readonly wanted: Spending;
  readonly periods: Periods;
  /** Set before the database is asked to store it. */
  isSent: boolean;
}

/**
 * Groups that Postgres writes in parallel, usually on 4 of 10 connections. Calls of one token share a commit,
 * so that many of them don't wait for its row one by one, and tokens don't wait for each other.
 * Batches are small, since another process that waits for one of their rows gives up after 1.4 s.
 */
const PARTITIONING = { partitions: 4, maxBatch: 8 };
/** A quota that was full a moment ago may have room again when its use is read. */
const MAX_TRIES = 3;

export function createQuotaReserver(
  database: Database,
  clock: Clock,
  instanceId: string,
  doubtful: Pick<Doubtful, "add">,
): (request: ReserveRequest) => Promise<ReserveResult> {
  const { driver, writes } = database;
  const reserve = writes.group<Pending, ReserveResult>(
    {
      keyOf: ({ request }) => request.token.id,
      write: createSameToken(database, instanceId),
      isOneStatement: ({ length }) => driver.kind === "postgres" && length === 1,
    },
    PARTITIONING,
  );
  return async (request) => {
    if (!hasQuota(request.token.quotas)) return { admitted: true, reservation: null };
    const nowMs = clock.wallMs();
    const wanted = wantedBy(request);
    const id = newId(nowMs);
    const periods = periodsAt(nowMs);
    const pending = { id, nowMs, request, wanted, periods, isSent: false };
    try {
      return await reserve(pending);
    } catch (error) {
      // SQLite answers in the same step
      if (pending.isSent && driver.kind === "postgres") doubtful.add(id);
      throw error;
    }
  };
}

function wantedBy({ tokens, money }: ReserveRequest): Spending {
  const whole = Math.max(0, Math.ceil(tokens));
  if (!Number.isSafeInteger(whole)) throw impossible("the estimate of tokens is not a number");
  return { requests: 1, tokens: whole, money: money < 0n ? 0n : money };
}

function impossible(text: string): ProxyError {
  return new ProxyError("internal", { cause: new Error(text) });
}

/** Calls of one token: all at once if all fit into one day, else one by one. */
function createSameToken(database: Database, instanceId: string) {
  const take = createTake(database, instanceId);
  const reserveOne = createReserveOne(database, take);
  return function* (sameToken: readonly Pending[]): Transaction<readonly ReserveResult[]> {
    const sameDay = sameToken.every(({ periods }) => periods.day === sameToken[0]?.periods.day);
    const taken = sameDay && sameToken.length > 1 ? yield* take(sameToken) : undefined;
    if (taken !== undefined) return sameToken.map((one) => admitted(one, taken));
    const results: ReserveResult[] = [];
    for (const one of sameToken) results.push(yield* reserveOne(one));
    return results;
  };
}

type Take = (sameToken: readonly Pending[]) => Transaction<Periods | undefined>;

function createReserveOne(
  { builder }: Database,
  take: Take,
): (pending: Pending) => Transaction<ReserveResult> {
  const use = useQuery(builder);
  return function* (pending) {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const taken = yield* take([pending]);
      if (taken !== undefined) return admitted(pending, taken);
      const [stored] = yield* query(use({ tokenId: pending.request.token.id }));
      if (stored === undefined) throw impossible("a reservation for a token that does not exist");
      const refusal = refused(pending, useOf(stored, pending.periods));
      if (refusal !== null) return refusal;
    }
    throw impossible("quota rows change faster than they can be read");
  };
}

/**
 * Counts calls of one token and stores them as open. Returns undefined, having done nothing, if a
 * quota has no room for all of them. A group of 8 costs its counters one statement.
 */
function createTake({ driver, builder }: Database, instanceId: string): Take {
  const { take, open, takeAndOpen } = reservationQueries(builder);
  const opened = (one: Pending, periods: Periods) => {
    return { ...reservationOf(one, periods), instanceId, request: one.request };
  };
  return function* (sameToken) {
    const [first] = sameToken;
    if (first === undefined) return undefined;
    const { request, periods } = first;
    for (const one of sameToken) one.isSent = true;
    if (driver.kind === "postgres" && sameToken.length === 1) {
      return (yield* query(takeAndOpen(opened(first, periods))))[0];
    }
    const wanted = sameToken.map((one) => one.wanted).reduce(sumOf);
    const taking = { tokenId: request.token.id, ...wanted, ...periods };
    const [taken] = yield* query(take(taking, request.token.quotas));
    // The rows keep the periods in which they were counted.
    if (taken !== undefined) yield* query(open(sameToken.map((one) => opened(one, taken))));
    return taken;
  };
}

function reservationOf({ id, request, wanted }: Pending, periods: Periods): Reservation {
  return { ...wanted, ...periods, id, tokenId: request.token.id };
}

function admitted(pending: Pending, taken: Periods): ReserveResult {
  return { admitted: true, reservation: reservationOf(pending, taken) };
}

function refused(
  { request, wanted, nowMs }: Pending,
  use: ReturnType<typeof useOf>,
): ReserveResult | null {
  const { quotas } = request.token;
  const refusedBy = refusingQuota(quotas, use, wanted, nowMs);
  if (refusedBy === null) return null;
  // Waiting helps only a call that fits into every quota when it is empty.
  const neverFits = quotaStates(quotas, use, nowMs).some(
    (state) => BigInt(wanted[state.kind]) > state.limit,
  );
  return {
    admitted: false,
    refusedBy,
    retryAfterMs: neverFits ? null : refusedBy.resetsAt - nowMs,
  };
}
