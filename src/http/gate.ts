import { ProxyError } from "../core/errors.ts";
import type { Clock, LimitDecision, Limiter } from "../core/ports.ts";
import { rateLimited } from "../core/call/rate-limited.ts";
import type { Gate } from "./dialect.ts";
import type { AppContext, AppEnv } from "./call/request-context.ts";
import { createLimitMiddleware } from "../limits/middleware.ts";

/** The limits as the routes of all HTTP dialects see them: one budget an address. */
export function createGate(
  limiter: Limiter,
  observe: (decision: LimitDecision) => void,
  clock: Clock,
): Gate {
  return {
    count: (writeError) =>
      createLimitMiddleware<AppEnv>({
        limiter,
        bucketOf: (c) => c.env.facts.client.bucket,
        onDecision: (c, decision) => {
          c.env.facts.limits = decision;
          observe(decision);
        },
        decisionOf,
        refuse: (c, decision) => writeError(c, rateLimited(decision, clock)),
      }),
    peek(c) {
      const facts = c.env.facts;
      facts.limits = limiter.peek(facts.client.bucket);
    },
  };
}

function decisionOf(c: AppContext): LimitDecision {
  const { limits } = c.env.facts;
  if (limits === null) throw new ProxyError("internal");
  return limits;
}
