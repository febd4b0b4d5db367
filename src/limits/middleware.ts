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

/** What the package is told: an admitted call is no hit, a refused one is one hit too many. */
const ADMITTED = "admitted";
const REFUSED = "refused";
const HITS_ALLOWED = 0;

/**
 * hono-rate-limiter over our windows. The package hands its store a key and nothing else, so the
 * atomic step is taken where the request is still known, and the key carries the verdict: no
 * decision can reach another request, however they interleave. (A store made for each request did
 * the same for 15 % of a call's CPU.)
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
      // Called only where the outcome decides whether a call counts; here every call does.
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
