import type { ErrorCode } from "../errors.ts";

/** Refusals by other limits than the address's, which gets back what it counted. */
export const LIMIT_CODES: ReadonlySet<ErrorCode> = new Set([
  "rate_limited",
  "limits_unavailable",
  "quota_exceeded",
  "group_quota_exceeded",
  "streams_limited",
  "tokens_limited",
  "call_too_large",
  "calls_limited",
]);
