import type { APIError } from "openai/core/error";
import { type ErrorCode, ProxyError } from "../core/errors.ts";
import { redact } from "../core/redact.ts";

/** Longest part of an upstream's own words that is passed on. */
const MAX_REASON_CHARACTERS = 500;
/** More than is passed on, so that no credential is cut before it is found. */
const MAX_REDACTED_CHARACTERS = 10_000;
/** A Retry-After beyond a day is ignored. */
const MAX_RETRY_AFTER_MS = 86_400_000;

/** Statuses that are not the upstream's failure. Whose key it was is decided where it was chosen. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  400: "upstream_refused",
  401: "key_rejected",
  402: "key_exhausted",
  403: "key_rejected",
  404: "upstream_refused",
  408: "upstream_timeout",
  413: "upstream_refused",
  422: "upstream_refused",
  429: "upstream_rate_limited",
};

/** The wait if the upstream gives none: a rate limit passes soon, an unpaid bill does not. */
const USUAL_WAIT_MS: Partial<Record<ErrorCode, number>> = {
  upstream_rate_limited: 10_000,
  key_exhausted: 600_000,
};

/** A connection that failed: before the response it is unreachable, after that it broke. */
export function fromTransportFailure(error: Error, started: boolean): ProxyError {
  if (error instanceof ProxyError) return error;
  return new ProxyError(started ? "upstream_failed" : "upstream_unreachable", { cause: error });
}

/** A response outside 2xx to a request with that key, as the openai package reports it. */
export function fromApiError(error: APIError, key: string): ProxyError {
  const status = Number(error.status);
  const isUnpaid = status === 429 && error.code === "insufficient_quota";
  const code = isUnpaid ? "key_exhausted" : (CODES[status] ?? "upstream_failed");
  const mayWait = status === 429 || status === 503;
  const isRefused = code === "upstream_refused";
  return new ProxyError(code, {
    retryAfterMs: mayWait ? (retryAfterMs(error) ?? USUAL_WAIT_MS[code]) : undefined,
    params: isRefused ? { reason: reasonOf(error, key) } : {},
    details: { upstream_status: status },
    // the upstream's own words, only where they are about the request
    refusal: isRefused ? refusalOf(error, status, key) : undefined,
    cause: `upstream answered ${status}`,
  });
}

function refusalOf({ error }: APIError, status: number, key: string) {
  if (typeof error !== "object") return undefined;
  return { status, body: redact(JSON.stringify({ error }), key) };
}

function reasonOf(error: APIError, key: string): string {
  const inner: unknown = error.error;
  const message =
    typeof inner === "object" && inner !== null && "message" in inner ? inner.message : undefined;
  const text = typeof message === "string" ? message : String(error.status);
  return redact(text.slice(0, MAX_REDACTED_CHARACTERS), key).slice(0, MAX_REASON_CHARACTERS);
}

/** `retry-after-ms`, or Retry-After in seconds or as a date. Undefined if missing or absurd. */
function retryAfterMs({ headers }: APIError): number | undefined {
  const exactMs = Number.parseFloat(headers?.get("retry-after-ms") ?? "");
  const given = headers?.get("retry-after") ?? "";
  const secondsAsMs = /^\d+(\.\d+)?$/.test(given) ? Number(given) * 1_000 : Number.NaN;
  const dateAsMs = Date.parse(given) - Date.parse(headers?.get("date") ?? "");
  const ms = [exactMs, secondsAsMs, dateAsMs].find((one) => Number.isFinite(one) && one >= 0);
  return ms === undefined || ms > MAX_RETRY_AFTER_MS ? undefined : ms;
}
