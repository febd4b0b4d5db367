import { ProxyError } from "../errors.ts";
import type { Clock, LimitDecision } from "../ports.ts";

/** A refusal by the limits as an error: which window, how many, when there is room again. */
export function rateLimited(decision: LimitDecision, clock: Clock): ProxyError {
  const { refusedBy, retryAfterMs } = decision;
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  const limit = refusedBy?.limit ?? 0;
  const window = refusedBy?.name ?? "";
  return new ProxyError("rate_limited", {
    params: { limit, window, seconds },
    details: {
      window,
      limit,
      retry_after_seconds: seconds,
      reset_at: new Date(clock.wallMs() + retryAfterMs).toISOString(),
    },
    retryAfterMs,
  });
}
