import { rateLimited } from "../core/common-errors.ts";
import { ProxyError } from "../core/errors.ts";
import { whenReady } from "../core/maybe-promise.ts";
import type { Clock, LimitDecision, Limiter } from "../core/ports.ts";
import { createLimitMiddleware } from "../limits/middleware.ts";
import type { AppContext, AppEnv } from "./call/request-context.ts";
import type { Gate } from "./dialect.ts";

/** The limits as the routes of all HTTP dialects see them: one bucket per address. */
export function createGate(
  limiter: Limiter,
  observe: (decision: LimitDecision) => void,
  clock: Clock,
): Gate {
  return {
    count: (writeError) =>
      createLimitMiddleware<AppEnv>({
        limiter,
        bucketOf: (c) => c.env.context.client.bucket,
        onDecision: (c, decision) => {
          c.env.context.limits = decision;
          observe(decision);
        },
        decisionOf,
        refuse: (c, decision) => writeError(c, rateLimited(decision, clock)),
      }),
    peek(c) {
      const { context } = c.env;
      return whenReady(limiter.peek(context.client.bucket), (decision) => {
        context.limits = decision;
      });
    },
  };
}

function decisionOf(c: AppContext): LimitDecision {
  const { limits } = c.env.context;
  if (limits === null) throw new ProxyError("internal");
  return limits;
}
