import type { Context, Env, MiddlewareHandler } from "hono";
import { rateLimiter } from "hono-rate-limiter";
import { whenReady } from "../core/maybe-promise.ts";
import type { LimitDecision, Limiter } from "../core/ports.ts";

export interface LimitMiddlewareOptions<E extends Env> {
  readonly limiter: Limiter;
  /** Whose budget the request is counted on. */
  readonly bucketOf: (c: Context<E>) => string | undefined;
  /** Called with every decision, before the request continues or is refused. */
  readonly onDecision: (c: Context<E>, decision: LimitDecision) => void;
  /** The decision that onDecision got for this request. */
  readonly decisionOf: (c: Context<E>) => LimitDecision;
  /** The answer to a refused request, in the words of its dialect. */
  readonly refuse: (c: Context<E>, decision: LimitDecision) => Response | Promise<Response>;
}

/** hono-rate-limiter sees 0 hits for an admitted call and 1 for a refused one; its limit is 0. */
const ADMITTED = "admitted";
const REFUSED = "refused";
const HITS_ALLOWED = 0;

/**
 * hono-rate-limiter over our windows. Our limiter decides in keyGenerator, where the request is known,
 * and passes the decision to the store as the key, so concurrent requests cannot mix. (A store made
 * for each request took 15 % of a call's CPU.)
 */
export function createLimitMiddleware<E extends Env = Env>({
  limiter,
  bucketOf,
  onDecision,
  decisionOf,
  refuse,
}: LimitMiddlewareOptions<E>): MiddlewareHandler<E> {
  return rateLimiter<E>({
    store: {
      increment: (verdict) => ({ totalHits: verdict === REFUSED ? 1 : 0 }),
      // Called only if some outcomes are not counted; here all are.
      decrement: doNothing,
      resetKey: doNothing,
    },
    limit: HITS_ALLOWED,
    // Its headers follow old drafts and know one window; ours are written from the decision.
    standardHeaders: false,
    keyGenerator(c) {
      return whenReady(limiter.take(requireBucket(bucketOf(c))), (decision) => {
        onDecision(c, decision);
        return decision.admitted ? ADMITTED : REFUSED;
      });
    },
    handler: (c) => refuse(c, decisionOf(c)),
  });
}

/** The package counts all requests with an empty key as one client's. */
function requireBucket(bucket: string | undefined): string {
  if (bucket) return bucket;
  throw new Error("a call without a bucket cannot be limited");
}

function doNothing(): void {}
