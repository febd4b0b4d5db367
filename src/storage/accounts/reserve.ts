import type { ReserveRequest, ReserveResult } from "../../core/accounts/accounts.ts";
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
import { ask, type Driver, type Script } from "../driver/driver.ts";
import type { Builder } from "../driver/queries.ts";
import type { Spread, Writes } from "../driver/writes.ts";
import { createQuotaUse, useOf } from "./quota-use.ts";
import { openCalls, takeAndOpen } from "./reserve-queries.ts";

interface ReserveParts {
  readonly driver: Driver;
  readonly builder: Builder;
  readonly writes: Writes;
  readonly clock: Clock;
  readonly newId: (wallMs: number) => string;
  readonly owner: string;
}

interface Asked {
  readonly id: string;
  readonly nowMs: number;
  readonly request: ReserveRequest;
  readonly wanted: Spending;
  readonly periods: Periods;
}

/**
 * Groups that Postgres writes side by side, out of 10 connections. Calls of one token share a
 * commit, so that a crowd of them does not wait for its row one by one; tokens do not wait for
 * others. Few together, since another process that waits for one of their rows gives up after 1.4 s.
 */
const spread: Spread<Asked> = {
  subjectOf: ({ request }) => request.token.id,
  lanes: 4,
  maxBatch: 8,
};
/** A quota that had no room a moment ago may have some again when its use is read. */
const maxTries = 3;

export function createReserve(parts: ReserveParts): (r: ReserveRequest) => Promise<ReserveResult> {
  const { driver, clock, newId, writes } = parts;
  const reserveAlike = createAlikeScript(parts);
  const reserve = writes.group<Asked, ReserveResult>(
    {
      *script(asked) {
        const results = new Map<Asked, ReserveResult>();
        for (const alike of byToken(asked)) {
          const reserved = yield* reserveAlike(alike);
          for (const [at, result] of reserved.entries()) results.set(alike[at] as Asked, result);
        }
        // Each of them has been set above.
        return asked.map((one) => results.get(one) as ReserveResult);
      },
      isSingle: ({ length }) => driver.kind === "postgres" && length === 1,
    },
    spread,
  );
  return async (request) => {
    if (!hasQuota(request.token.quotas)) return { admitted: true, reservation: null };
    const nowMs = clock.wallMs();
    const facts = { nowMs, wanted: wantedBy(request), periods: periodsAt(nowMs) };
    return reserve({ id: newId(nowMs), request, ...facts });
  };
}

/** Always in the order of tokens: two groups then never wait for each other. */
function byToken(asked: readonly Asked[]): readonly (readonly Asked[])[] {
  const alike = Map.groupBy(asked, ({ request, periods }) => `${request.token.id} ${periods.day}`);
  return [...alike].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, some]) => some);
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

/** Calls of one token: all at once where all fit, else one by one. */
function createAlikeScript(parts: ReserveParts) {
  const take = createTakeScript(parts);
  const reserveOne = createReserveScript(parts, take);
  return function* (alike: readonly Asked[]): Script<readonly ReserveResult[]> {
    const taken = alike.length > 1 ? yield* take(alike) : undefined;
    if (taken !== undefined) return alike.map((one) => admitted(one, taken));
    const results: ReserveResult[] = [];
    for (const one of alike) results.push(yield* reserveOne(one));
    return results;
  };
}

type Take = (alike: readonly Asked[]) => Script<Periods | undefined>;

function createReserveScript(
  { builder }: ReserveParts,
  take: Take,
): (asked: Asked) => Script<ReserveResult> {
  const use = createQuotaUse(builder);
  return function* (asked) {
    const { nowMs, periods, request, wanted } = asked;
    for (let tries = 0; tries < maxTries; tries++) {
      const taken = yield* take([asked]);
      if (taken !== undefined) return admitted(asked, taken);
      const [stored] = yield* ask(use.read({ tokenId: request.token.id }));
      if (stored === undefined) throw impossible("a reservation for a token that does not exist");
      const refusal = refused(request, useOf(stored, periods), wanted, nowMs);
      if (refusal !== null) return refusal;
    }
    throw impossible("quota rows change faster than they can be read");
  };
}

/**
 * Counts calls of one token and makes them visible as open; undefined, and nothing is done, when a
 * quota has no room for them. A group of 8 costs its counters one statement so.
 */
function createTakeScript({ driver, builder, owner }: ReserveParts): Take {
  const { take, open } = openCalls(builder);
  const atOnce = driver.kind === "postgres" ? takeAndOpen(builder) : null;
  return function* (alike) {
    const [first] = alike;
    if (first === undefined) return undefined;
    const { token } = first.request;
    const wanted = alike.map((one) => one.wanted).reduce(sumOf);
    const taking = { tokenId: token.id, quotas: token.quotas, ...wanted, ...first.periods };
    const opening = (one: Asked) => ({ ...one, owner, ...one.wanted, ...one.periods });
    if (atOnce !== null && alike.length === 1) {
      return (yield* ask(atOnce(taking, opening(first))))[0];
    }
    const [taken] = yield* ask(take(taking));
    // The rows keep the periods in which they were counted.
    if (taken !== undefined) {
      yield* ask(open(alike.map((one) => ({ ...opening(one), ...taken }))));
    }
    return taken;
  };
}

function admitted({ id, request, wanted }: Asked, taken: Periods): ReserveResult {
  return {
    admitted: true,
    reservation: { ...wanted, ...taken, id, tokenId: request.token.id },
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
