import type { Context, Env, MiddlewareHandler } from "hono";
import { rateLimiter, type Store } from "hono-rate-limiter";
import type { LimitDecision, Limiter } from "../core/ports.ts";

export interface LimitMiddlewareOptions<E extends Env> {
  readonly limiter: Limiter;
  /** Whose budget the request is counted on. */
  readonly bucketOf: (c: Context<E>) => string | undefined;
  /** Told of every decision, before the request goes on or is refused. */
  readonly onDecision: (c: Context<E>, decision: LimitDecision) => void;
  /** The answer to a refused request, in the words of its dialect. */
  readonly refuse: (c: Context<E>, decision: LimitDecision) => Response | Promise<Response>;
}

/** The package refuses above this: an admitted call is reported as no hit, a refused one as one. */
const HITS_ALLOWED = 0;

/**
 * hono-rate-limiter over our windows. Its store is handed a key and nothing else, so each request
 * gets a store of its own: no decision can reach another request, however they interleave.
 */
export function createLimitMiddleware<E extends Env = Env>({
  limiter,
  bucketOf,
  onDecision,
  refuse,
}: LimitMiddlewareOptions<E>): MiddlewareHandler<E> {
  return function limitCalls(c, next) {
    let answerRefused: (() => Response | Promise<Response>) | undefined;
    const store: Store<E> = {
      increment(bucket) {
        const decision = limiter.take(bucket);
        onDecision(c, decision);
        if (!decision.admitted) answerRefused = () => refuse(c, decision);
        return { totalHits: decision.admitted ? 0 : 1 };
      },
      // Called only where the outcome decides whether a call counts; here every call does.
      decrement: doNothing,
      resetKey: doNothing,
    };
    const limitCall = rateLimiter<E>({
      store,
      limit: HITS_ALLOWED,
      // Its headers follow old drafts and know one window; ours are written from the decision.
      standardHeaders: false,
      keyGenerator: () => requireBucket(bucketOf(c)),
      handler: () => answerRefused?.(),
    });
    return limitCall(c, next);
  };
}

/** The package counts all requests with an empty key as one client's. */
function requireBucket(bucket: string | undefined): string {
  if (bucket) return bucket;
  throw new Error("a call without a bucket cannot be limited");
}

function doNothing(): void {}
