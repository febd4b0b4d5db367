import type { LimitDecision } from "../../core/ports.ts";
import type { ResponseHeaders } from "../../http/reply/response-headers.ts";

/** OpenAI's own spelling of the tightest window, which its clients log and some obey. */
export function addRequestLimits(headers: ResponseHeaders, limits: LimitDecision | null): void {
  const [first, ...others] = limits?.windows ?? [];
  if (first === undefined) return;
  let tightest = first;
  for (const window of others) if (window.remaining < tightest.remaining) tightest = window;
  headers["x-ratelimit-limit-requests"] = String(tightest.limit);
  headers["x-ratelimit-remaining-requests"] = String(tightest.remaining);
  headers["x-ratelimit-reset-requests"] = goDuration(tightest.resetMs);
}

/** `12ms`, `1s`, `6m0s`, as Go prints a duration. */
function goDuration(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 1_000);
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const rest = `${seconds % 60}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
