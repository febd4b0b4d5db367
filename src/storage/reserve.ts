import type { ReserveRequest, ReserveResult } from "../core/accounts.ts";
import type { Clock } from "../core/ports.ts";
import { hasQuota, periodsAt, quotaStates, refusingQuota, type Spending } from "../core/quota.ts";
import { ask, type Driver, type Script } from "./driver.ts";
import { createGroup } from "./group.ts";
import { type Builder, prepare } from "./queries.ts";
import { createQuotaUse, limitValues, useOf } from "./quota-use.ts";
import { cleaned } from "./text.ts";

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

/** A quota that had no room a moment ago may have some again when its use is read. */
const mostTries = 3;

export function createReserve(parts: ReserveParts): (r: ReserveRequest) => Promise<ReserveResult> {
  const reserveOne = createReserveScript(parts);
  const grouped = createGroup<Asked, ReserveResult>((asked) =>
    parts.driver.transaction(function* () {
      const results = new Map<Asked, ReserveResult>();
      // Always in the order of tokens: two groups then never wait for each other.
      for (const one of asked.toSorted(byToken)) results.set(one, yield* reserveOne(one));
      return asked.map((one) => results.get(one) as ReserveResult);
    }),
  );
  return async (request) => {
    if (!hasQuota(request.token.quotas)) return { admitted: true, reservation: null };
    const nowMs = parts.clock.wallMs();
    return grouped({ id: parts.newId(nowMs), nowMs, request });
  };
}

function wantedBy({ tokens, money }: ReserveRequest): Spending {
  return { requests: 1, tokens: wholeTokens(tokens), money: money < 0n ? 0n : money };
}

function wholeTokens(estimate: number): number {
  const tokens = Math.max(0, Math.ceil(estimate));
  if (Number.isSafeInteger(tokens)) return tokens;
  throw new RangeError("the estimate of tokens is not a number");
}

function byToken(a: Asked, b: Asked): number {
  return a.request.token.id < b.request.token.id ? -1 : 1;
}

function createReserveScript({
  builder,
  owner,
}: ReserveParts): (asked: Asked) => Script<ReserveResult> {
  const use = createQuotaUse(builder);
  const open = openQuery(builder);
  return function* ({ id, nowMs, request }) {
    const tokenId = request.token.id;
    const now = periodsAt(nowMs);
    const wanted = wantedBy(request);
    const limits = limitValues(request.token.quotas);
    for (let tries = 0; tries < mostTries; tries++) {
      const values = { ...limits, ...now, tokenId, tokens: wanted.tokens, money: wanted.money };
      const [taken] = yield* ask(use.take(values));
      if (taken !== undefined) {
        yield* ask(open(openValues(id, owner, request, { ...taken, ...wanted })));
        return { admitted: true, reservation: { id, tokenId, day: taken.day, month: taken.month } };
      }
      const [stored] = yield* ask(use.read({ tokenId }));
      if (stored === undefined) throw new Error("a reservation for a token that does not exist");
      const refusal = refused(request, useOf(stored, now), wanted, nowMs);
      if (refusal !== null) return refusal;
    }
    throw new Error("quota rows change faster than they can be read");
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

type OpenValues = ReturnType<typeof openValues>;

function openValues(
  id: string,
  owner: string,
  request: ReserveRequest,
  held: Spending & { readonly day: number; readonly month: number },
) {
  return {
    id,
    owner,
    tokenId: request.token.id,
    at: Math.trunc(request.at),
    day: held.day,
    month: held.month,
    tokens: held.tokens,
    money: held.money,
    requestId: cleaned(request.requestId),
    dialect: cleaned(request.dialect),
    model: cleaned(request.model),
    onDisconnect: cleaned(request.onDisconnect),
  };
}

function openQuery(builder: Builder) {
  return prepare<OpenValues, unknown>(({ int, text }) =>
    builder.insertInto("reservations").values({
      id: text("id"),
      owner: text("owner"),
      token_id: text("tokenId"),
      at: int("at"),
      day: int("day"),
      month: int("month"),
      tokens: int("tokens"),
      money: int<bigint>("money"),
      request_id: text("requestId"),
      dialect: text("dialect"),
      model: text("model"),
      on_disconnect: text("onDisconnect"),
    }),
  );
}
