import type { ReserveRequest, ReserveResult } from "../core/accounts.ts";
import { ProxyError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import {
  hasQuota,
  type Periods,
  periodsAt,
  quotaStates,
  refusingQuota,
  type Spending,
} from "../core/quota.ts";
import { ask, type Driver, type Script } from "./driver.ts";
import { createGroup } from "./group.ts";
import type { Builder } from "./queries.ts";
import { limitValues } from "./quota-take.ts";
import { createQuotaUse, useOf } from "./quota-use.ts";
import { openCall, openValues, takeAndOpen } from "./reserve-queries.ts";

interface ReserveParts {
  readonly driver: Driver;
  readonly builder: Builder;
  readonly clock: Clock;
  readonly newId: (wallMs: number) => string;
  readonly owner: string;
}

interface Asked {
  readonly id: string;
  readonly nowMs: number;
  readonly request: ReserveRequest;
}

/**
 * Groups that are written side by side, out of 10 connections. Calls of one token share a commit,
 * so that a crowd of them does not wait for its row one by one; tokens do not wait for others.
 */
const postgresLanes = 4;
/**
 * Few on Postgres: each is a round trip during which the group's rows stay locked, and another
 * process that waits for one of them gives up after 1.4 s.
 */
const mostTogether = { sqlite: 64, postgres: 8 } as const;
/** A quota that had no room a moment ago may have some again when its use is read. */
const mostTries = 3;

export function createReserve(parts: ReserveParts): (r: ReserveRequest) => Promise<ReserveResult> {
  const { driver } = parts;
  const reserveOne = createReserveScript(parts);
  const reserveAll = function* (asked: readonly Asked[]): Script<readonly ReserveResult[]> {
    const results = new Map<Asked, ReserveResult>();
    // Always in the order of tokens: two groups then never wait for each other.
    for (const one of asked.toSorted(byToken)) results.set(one, yield* reserveOne(one));
    // Each of them has been set above.
    return asked.map((one) => results.get(one) as ReserveResult);
  };
  const write = (asked: readonly Asked[]): Promise<readonly ReserveResult[]> =>
    asked.length === 1
      ? driver.single(() => reserveAll(asked))
      : driver.transaction(() => reserveAll(asked));
  const lanes = Array.from({ length: driver.kind === "postgres" ? postgresLanes : 1 }, () =>
    createGroup(write, mostTogether[driver.kind]),
  );
  return async (request) => {
    if (!hasQuota(request.token.quotas)) return { admitted: true, reservation: null };
    const nowMs = parts.clock.wallMs();
    // A token stays in its lane; the last character of an id is random.
    const lane = lanes[(request.token.id.at(-1)?.charCodeAt(0) ?? 0) % lanes.length];
    if (lane === undefined) throw impossible("there are no lanes");
    return lane({ id: parts.newId(nowMs), nowMs, request });
  };
}

function byToken(a: Asked, b: Asked): number {
  if (a.request.token.id === b.request.token.id) return 0;
  return a.request.token.id < b.request.token.id ? -1 : 1;
}

function wantedBy({ tokens, money }: ReserveRequest): Spending {
  return { requests: 1, tokens: wholeTokens(tokens), money: money < 0n ? 0n : money };
}

function impossible(text: string): ProxyError {
  return new ProxyError("internal", { cause: new Error(text) });
}

function wholeTokens(estimate: number): number {
  const tokens = Math.max(0, Math.ceil(estimate));
  if (Number.isSafeInteger(tokens)) return tokens;
  throw impossible("the estimate of tokens is not a number");
}

function createReserveScript(parts: ReserveParts): (asked: Asked) => Script<ReserveResult> {
  const use = createQuotaUse(parts.builder);
  const take = createTakeScript(parts);
  return function* (asked) {
    const { nowMs, request } = asked;
    const tokenId = request.token.id;
    const wanted = wantedBy(request);
    for (let tries = 0; tries < mostTries; tries++) {
      const taken = yield* take(asked, wanted);
      if (taken !== undefined) {
        return { admitted: true, reservation: { ...taken, id: asked.id, tokenId } };
      }
      const [stored] = yield* ask(use.read({ tokenId }));
      if (stored === undefined) throw impossible("a reservation for a token that does not exist");
      const refusal = refused(request, useOf(stored, periodsAt(nowMs)), wanted, nowMs);
      if (refusal !== null) return refusal;
    }
    throw impossible("quota rows change faster than they can be read");
  };
}

/** Counts the call and makes it visible as open; undefined when a quota has no room. */
function createTakeScript({ driver, builder, owner }: ReserveParts) {
  const together = driver.kind === "postgres" ? takeAndOpen(builder) : null;
  const { take, open } = openCall(builder);
  return function* ({ id, nowMs, request }: Asked, wanted: Spending): Script<Periods | undefined> {
    const values = {
      ...limitValues(request.token.quotas),
      ...openValues(request, wanted),
      ...periodsAt(nowMs),
      id,
      owner,
    };
    if (together !== null) return (yield* ask(together(values)))[0];
    const [taken] = yield* ask(take(values));
    // The row keeps the periods in which it was counted.
    if (taken !== undefined) yield* ask(open({ ...values, ...taken }));
    return taken;
  };
}

function refused(
  { token }: ReserveRequest,
  use: ReturnType<typeof useOf>,
  wanted: Spending,
  nowMs: number,
): ReserveResult | null {
  const refusedBy = refusingQuota(token.quotas, use, wanted, nowMs);
  if (refusedBy === null) return null;
  // Waiting helps only a call that fits into every quota when it is empty.
  const neverFits = quotaStates(token.quotas, use, nowMs).some(
    (state) => BigInt(wanted[state.kind]) > state.limit,
  );
  const retryAfterMs = neverFits ? null : refusedBy.resetsAt - nowMs;
  return { admitted: false, refusedBy, retryAfterMs };
}
