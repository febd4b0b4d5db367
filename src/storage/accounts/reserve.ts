import type { ReserveRequest } from "../../core/accounts/accounts.ts";
import { hasQuota, periodsAt, type Spending } from "../../core/accounts/quota.ts";
import type { ReserveResult } from "../../core/accounts/reservation.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import type { Transaction } from "../driver/driver.ts";
import { newId } from "../driver/ids.ts";
import type { Doubtful } from "./doubtful.ts";
import { createRefusal } from "./quota-refusal.ts";
import { createTake, groupOf, type Pending, type Take } from "./take.ts";

/**
 * Groups that Postgres writes in parallel, usually on 4 of 10 connections. Calls of one token, or of one group's
 * tokens, share a commit, so that many of them don't wait for its row one by one, and others don't wait for them.
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
      keyOf: ({ request: { token } }) => groupOf(token)?.id ?? token.id,
      write: createSameGuard(database, instanceId),
      isOneStatement: ([first, ...others]) =>
        driver.kind === "postgres" &&
        others.length === 0 &&
        first !== undefined &&
        groupOf(first.request.token) === null,
    },
    PARTITIONING,
  );
  return async (request) => {
    const { token } = request;
    if (!hasQuota(token.quotas) && groupOf(token) === null) {
      return { admitted: true, reservation: null };
    }
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

/** Calls of one token, or of one group: all at once if all fit into one day, else one by one. */
function createSameGuard(database: Database, instanceId: string) {
  const take = createTake(database, instanceId);
  const reserveOne = createReserveOne(database, take);
  return function* (sameGuard: readonly Pending[]): Transaction<readonly ReserveResult[]> {
    const sameDay = sameGuard.every(({ periods }) => periods.day === sameGuard[0]?.periods.day);
    const taken = sameDay && sameGuard.length > 1 ? yield* take(sameGuard) : undefined;
    if (taken !== undefined) {
      return taken.map((reservation) => ({ admitted: true, reservation }));
    }
    const results: ReserveResult[] = [];
    for (const one of sameGuard) results.push(yield* reserveOne(one));
    return results;
  };
}

function createReserveOne(
  database: Database,
  take: Take,
): (pending: Pending) => Transaction<ReserveResult> {
  const refusalOf = createRefusal(database);
  return function* (pending) {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const [reservation] = (yield* take([pending])) ?? [];
      if (reservation !== undefined) return { admitted: true, reservation };
      const refusal = yield* refusalOf(pending);
      if (refusal !== null) return refusal;
    }
    throw impossible("quota rows change faster than they can be read");
  };
}
