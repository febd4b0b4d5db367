import type { Token } from "../accounts/accounts.ts";
import type { Reservation } from "../accounts/reservation.ts";
import { rateLimited } from "../common-errors.ts";
import { ProxyError } from "../errors.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import type {
  AmountLimiter,
  Clock,
  Lease,
  LimitDecision,
  LimitEntry,
  OpenCallLimiter,
  TokenLimiter,
} from "../ports.ts";

/** What counts the calls of a token, beside its quotas. */
export interface TokenLimits {
  readonly tokenLimiter: TokenLimiter;
  /** Model tokens per minute. */
  readonly tokenMinutes: AmountLimiter;
  /** Open calls. */
  readonly tokenCalls: OpenCallLimiter;
  readonly clock: Clock;
}

/** For a token that has limits beside its windows. */
interface Further {
  readonly minute: LimitDecision;
  readonly lease: Lease | null;
}

/**
 * What the limits and quotas of a token hold of one call. A class, because there is one for each open
 * call of a token.
 */
export class TokenHold {
  reservation: Reservation | null = null;
  readonly #limits: TokenLimits;
  readonly token: Token;
  /** Model tokens that the minute counts. */
  readonly #tokens: number;
  readonly #entry: LimitEntry | null;
  readonly #further: Further | null;

  constructor(
    limits: TokenLimits,
    token: Token,
    tokens: number,
    entry: LimitEntry | null,
    further: Further | null,
  ) {
    this.#limits = limits;
    this.token = token;
    this.#tokens = tokens;
    this.#entry = entry;
    this.#further = further;
  }

  /** The call was refused: as if it had never been counted. */
  async giveBack(): Promise<void> {
    const released =
      this.#entry === null ? null : this.#limits.tokenLimiter.release(this.token, this.#entry);
    const settled = this.settle(0);
    if (released instanceof Promise) await released;
    if (settled instanceof Promise) await settled;
  }

  /** The call is over. Null: how many tokens it used is not known yet, so all of them stay counted. */
  settle(usedTokens: number | null): MaybePromise<void> {
    if (this.#further === null) return;
    const { minute, lease } = this.#further;
    if (lease?.entered === true) lease.leave();
    if (minute.entry === null || usedTokens === null) return;
    const { tokenMinutes } = this.#limits;
    return tokenMinutes.settle(this.token.id, minute.entry, this.#tokens, usedTokens);
  }
}

/**
 * Counts a call of the token in all its limits, or in none. Remote limits are asked at the same time,
 * and from memory nothing waits.
 */
export function holdLimits(
  limits: TokenLimits,
  token: Token,
  tokens: number,
): MaybePromise<TokenHold> {
  const counted = limits.tokenLimiter.take(token);
  const taken = takeFurther(limits, token, tokens);
  if (!(counted instanceof Promise || taken instanceof Promise)) {
    return held(limits, token, tokens, counted, taken);
  }
  return Promise.all([counted, taken]).then(([decision, further]) =>
    held(limits, token, tokens, decision, further),
  );
}

/** Where one limit refuses the call, the others get back what they counted. */
function held(
  limits: TokenLimits,
  token: Token,
  tokens: number,
  decision: LimitDecision,
  further: Further | null,
): MaybePromise<TokenHold> {
  const hold = new TokenHold(limits, token, tokens, decision.entry, further);
  const refusal = refusalOf(limits, token, tokens, decision, further);
  if (refusal === null) return hold;
  return hold.giveBack().then(() => {
    throw refusal;
  });
}

function takeFurther(
  { tokenMinutes, tokenCalls }: TokenLimits,
  { id, tokensPerMinute, concurrency }: Token,
  tokens: number,
): MaybePromise<Further> | null {
  if (tokensPerMinute === null && concurrency === null) return null;
  const minute = tokenMinutes.take(id, tokensPerMinute ?? 0, tokens);
  const lease = concurrency === null ? null : tokenCalls.enter(id, concurrency);
  if (!(minute instanceof Promise || lease instanceof Promise)) return { minute, lease };
  return Promise.all([minute, lease]).then(([a, b]) => ({ minute: a, lease: b }));
}

function refusalOf(
  { clock }: TokenLimits,
  token: Token,
  tokens: number,
  decision: LimitDecision,
  further: Further | null,
): ProxyError | null {
  if (!decision.admitted) return rateLimited(decision, clock);
  if (further === null) return null;
  const { minute, lease } = further;
  if (!minute.admitted) return tokensLimited(minute, tokens, clock);
  return lease?.entered === false ? callsLimited(token.concurrency ?? 0) : null;
}

function tokensLimited(decision: LimitDecision, tokens: number, clock: Clock): ProxyError {
  if (decision.storeAway) return rateLimited(decision, clock);
  const { refusedBy, retryAfterMs } = decision;
  const limit = refusedBy?.limit ?? 0;
  const about = { limit, tokens };
  if (retryAfterMs === Number.POSITIVE_INFINITY) {
    return new ProxyError("call_too_large", { params: about, details: about, retryAfterMs });
  }
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return new ProxyError("tokens_limited", {
    params: { limit, wait_seconds: seconds },
    details: {
      ...about,
      remaining: refusedBy?.remaining ?? 0,
      retry_after_seconds: seconds,
      reset_at: new Date(clock.wallMs() + retryAfterMs).toISOString(),
    },
    retryAfterMs,
  });
}

/** When a call will end is unknown: clients retry after a second. */
const RETRY_CALLS_MS = 1_000;

function callsLimited(limit: number): ProxyError {
  const about = { limit };
  return new ProxyError("calls_limited", {
    params: about,
    details: about,
    retryAfterMs: RETRY_CALLS_MS,
  });
}
