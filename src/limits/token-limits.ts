import type { Token } from "../core/accounts/accounts.ts";
import { rateLimited } from "../core/call/rate-limited.ts";
import type { Clock } from "../core/ports.ts";
import { createCallLogs } from "./call-logs.ts";
import { MAX_OLDER_BYTES } from "./memory-limiter.ts";
import { createSlidingWindows, MAX_WINDOW_MS, type SlidingWindows } from "./windows.ts";

/** Tokens that share their limits share the windows made of them; more than this are made anew. */
const MAX_KINDS = 1_000;
/** Past it the tokens unused for longest are forgotten. */
const MAX_TOKENS = 65_536;

/** Counts calls against the windows of the token itself, wherever its holder calls from. */
export function createTokenLimits(clock: Clock): (token: Token) => void {
  const kinds = new Map<string, SlidingWindows | null>();
  const logs = createCallLogs({
    clock,
    maxBuckets: MAX_TOKENS,
    maxOlderBytes: MAX_OLDER_BYTES,
    maxWindowMs: MAX_WINDOW_MS,
  });

  const windowsOf = ({ limits }: Token): SlidingWindows | null => {
    const kind = JSON.stringify(limits);
    const known = kinds.get(kind);
    if (known !== undefined) return known;
    if (kinds.size >= MAX_KINDS) kinds.clear();
    const made = createSlidingWindows({ second: 0, minute: 0, hour: 0, day: 0, ...limits });
    kinds.set(kind, made);
    return made;
  };

  return function countToken(token) {
    if (Object.keys(token.limits).length === 0) return;
    const windows = windowsOf(token);
    if (windows === null) return;
    const decision = logs.take(token.id, windows);
    if (!decision.admitted) throw rateLimited(decision, clock);
  };
}
