import type { Token } from "../core/accounts.ts";
import type { Clock, Limiter } from "../core/ports.ts";
import { rateLimited } from "../core/rate-limited.ts";
import { createMemoryLimiter } from "./memory.ts";

/** Tokens that share their limits share a limiter; more kinds of limits than this are forgotten. */
const MAX_KINDS = 1_000;
const TOKENS_PER_KIND = 4_096;

/** Counts calls against the windows of the token itself, wherever its holder calls from. */
export function createTokenLimits(clock: Clock): (token: Token) => void {
  const kinds = new Map<string, Limiter>();

  const limiterFor = ({ limits }: Token): Limiter => {
    const kind = JSON.stringify(limits);
    const known = kinds.get(kind);
    if (known !== undefined) return known;
    if (kinds.size >= MAX_KINDS) kinds.clear();
    const windows = { second: 0, minute: 0, hour: 0, day: 0, ...limits };
    const made = createMemoryLimiter({ limits: windows, clock, maxBuckets: TOKENS_PER_KIND });
    kinds.set(kind, made);
    return made;
  };

  return function countToken(token) {
    if (Object.keys(token.limits).length === 0) return;
    const decision = limiterFor(token).take(token.id);
    if (!decision.admitted) throw rateLimited(decision, clock);
  };
}
