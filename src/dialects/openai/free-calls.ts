import type { Call } from "../../core/call/call.ts";
import { rateLimited } from "../../core/common-errors.ts";
import type { Clock, TokenLimiter } from "../../core/ports.ts";

/** Counts a call that costs nothing in the windows of its token. Throws if one of them is full. */
export type CountFree = (call: Call) => Promise<void>;

export function createCountFree(limiter: TokenLimiter, clock: Clock): CountFree {
  return async ({ principal, giveBack }) => {
    if (principal.kind !== "token") return;
    const decision = await limiter.take(principal.found.token);
    if (decision.admitted) return;
    // what refuses a call takes from no other limit
    await giveBack();
    throw rateLimited(decision, clock);
  };
}
