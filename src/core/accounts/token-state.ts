import type { TokenLimits } from "../call/token-hold.ts";
import type { LimitDecision, WindowName, WindowState } from "../ports.ts";
import type { Ledger, Token } from "./accounts.ts";
import type { TokenGroup } from "./groups.ts";
import { type QuotaState, quotaStates } from "./quota.ts";

/** A quota of a token, or of its group. Amounts are counts, or picodollars for money. */
export interface HeldQuota extends QuotaState {
  /** Null: the token's own. */
  readonly group: TokenGroup | null;
  /** The part of `used` that open calls hold. */
  readonly reserved: bigint;
}

/** A limit of a token as it is now. */
export interface HeldLimit {
  readonly counts: "requests" | "tokens" | "open_calls";
  /** Null for open calls. */
  readonly window: WindowName | null;
  readonly limit: number;
  /** Null while the store that counts is away and calls are refused. */
  readonly used: number | null;
  /** Until the oldest that is counted leaves; null if nothing is, or if its end is unknown. */
  readonly resetMs: number | null;
}

export interface TokenState {
  readonly quotas: readonly HeldQuota[];
  readonly limits: readonly HeldLimit[];
  /** When it was so. Milliseconds since 1970. */
  readonly at: number;
}

export interface TokenStateOptions extends TokenLimits {
  readonly ledger: Pick<Ledger, "used" | "reserved">;
}

/** What a token may still do, for its holder. */
export function createTokenState(options: TokenStateOptions) {
  return async function stateOf(token: Token): Promise<TokenState> {
    const { group } = token;
    const [own, shared, limits] = await Promise.all([
      quotasOf(options, token, null),
      group === null ? [] : quotasOf(options, group, group),
      limitsOf(options, token),
    ]);
    return { quotas: [...own, ...shared], limits, at: options.clock.wallMs() };
  };
}

async function quotasOf(
  { ledger, clock }: TokenStateOptions,
  { id, quotas }: Pick<Token, "id" | "quotas">,
  group: TokenGroup | null,
): Promise<readonly HeldQuota[]> {
  const [use, reserved] = await Promise.all([ledger.used(id), ledger.reserved(id)]);
  return quotaStates(quotas, use, clock.wallMs()).map((state) => ({
    ...state,
    group,
    reserved: BigInt(reserved[state.period][state.kind]),
  }));
}

async function limitsOf(
  { tokenLimiter, tokenMinutes, tokenCalls }: TokenLimits,
  token: Token,
): Promise<readonly HeldLimit[]> {
  const { id, tokensPerMinute, concurrency } = token;
  const [windows, minute, calls] = await Promise.all([
    tokenLimiter.peek(token),
    tokenMinutes.peek(id, tokensPerMinute ?? 0),
    concurrency === null ? null : tokenCalls.count(id),
  ]);
  const requests = Object.entries(token.limits).map(
    ([name, limit]) => windowLimit("requests", { name: name as WindowName, limit }, windows), // as limits are keyed
  );
  const tokens =
    tokensPerMinute === null
      ? []
      : [windowLimit("tokens", { name: "minute", limit: tokensPerMinute }, minute)];
  if (concurrency === null || calls === null) return [...requests, ...tokens];
  const open = {
    counts: "open_calls",
    window: null,
    limit: concurrency,
    used: calls.open,
  } as const;
  return [...requests, ...tokens, { ...open, resetMs: null }];
}

function windowLimit(
  counts: HeldLimit["counts"],
  { name, limit }: Pick<WindowState, "name" | "limit">,
  { windows }: LimitDecision,
): HeldLimit {
  const now = windows.find((window) => window.name === name);
  const used = now === undefined ? null : now.limit - now.remaining;
  const resetMs = now === undefined || now.resetMs === 0 ? null : now.resetMs;
  return { counts, window: name, limit, used, resetMs };
}
