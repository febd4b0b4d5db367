import { APIError } from "openai/core/error";
import { type ErrorCode, ProxyError } from "../core/errors.ts";
import { redact } from "../core/redact.ts";

/** Longest piece of an upstream's own words that is passed on. */
const MAX_REASON_CHARACTERS = 500;
/** More than is passed on, so that no credential is cut before it is found. */
const MAX_SCRUBBED_CHARACTERS = 10_000;
/** A Retry-After beyond a day is not believed. */
const MAX_RETRY_AFTER_MS = 86_400_000;

/** What a client is told where the upstream gives no hint: a limit passes soon, a bill doesn't. */
const USUAL_WAIT_MS: Partial<Record<ErrorCode, number>> = {
  upstream_rate_limited: 10_000,
  key_exhausted: 600_000,
};

/** A connection that failed: before any answer it is unreachable, after that it broke. */
export function fromTransportFailure(error: Error, started: boolean): ProxyError {
  if (error instanceof ProxyError) return error;
  return new ProxyError(started ? "upstream_failed" : "upstream_unreachable", { cause: error });
}

/** An answer whose status is not 2xx, as the openai package reports it to a request with that key. */
export function fromApiError(error: unknown, key: string): ProxyError {
  if (error instanceof ProxyError) return error;
  if (!(error instanceof APIError)) return new ProxyError("internal", { cause: error });
  if (error.cause instanceof ProxyError) return error.cause;
  const status: number | undefined = error.status;
  if (status === undefined) return new ProxyError("upstream_unreachable", { cause: error });
  const code = codeOf(status, error.code);
  const retryAfterMs =
    status === 429 || status === 503 ? (retryAfter(error) ?? USUAL_WAIT_MS[code]) : undefined;
  return new ProxyError(code, {
    retryAfterMs,
    params: code === "upstream_refused" ? { reason: reasonOf(error, key) } : {},
    details: { upstream_status: status },
    refusal: refusalOf(code, status, error, key),
    cause: `upstream answered ${status}`,
  });
}

/** The neutral code; whose key it was, and so whose fault, is decided where the key was chosen. */
function codeOf(status: number, upstreamCode: string | null | undefined): ErrorCode {
  if (status === 401 || status === 403) return "key_rejected";
  if (status === 402) return "key_exhausted";
  if (status === 408) return "upstream_timeout";
  if (status === 429) {
    return upstreamCode === "insufficient_quota" ? "key_exhausted" : "upstream_rate_limited";
  }
  if (status === 400 || status === 404 || status === 413 || status === 422) {
    return "upstream_refused";
  }
  return "upstream_failed";
}

/** The upstream's own words, as its clients know them; only where they are about the request. */
function refusalOf(code: ErrorCode, status: number, error: APIError, key: string) {
  if (code !== "upstream_refused" || typeof error.error !== "object") return undefined;
  return { status, body: redact(JSON.stringify({ error: error.error }), key) };
}

function reasonOf(error: APIError, key: string): string {
  const inner: unknown = error.error;
  const message =
    typeof inner === "object" && inner !== null && "message" in inner ? inner.message : undefined;
  const text = typeof message === "string" ? message : String(error.status);
  return redact(text.slice(0, MAX_SCRUBBED_CHARACTERS), key).slice(0, MAX_REASON_CHARACTERS);
}

/** `retry-after-ms`, or Retry-After in seconds or as a date; undefined when absent or absurd. */
function retryAfter(error: APIError): number | undefined {
  const exact = Number.parseFloat(error.headers?.get("retry-after-ms") ?? "");
  const given = error.headers?.get("retry-after") ?? "";
  const asSeconds = /^\d+(\.\d+)?$/.test(given) ? Number(given) * 1_000 : Number.NaN;
  const sent = Date.parse(error.headers?.get("date") ?? "");
  const asDate = Date.parse(given) - sent;
  const ms = [exact, asSeconds, asDate].find((one) => Number.isFinite(one) && one >= 0);
  return ms === undefined || ms > MAX_RETRY_AFTER_MS ? undefined : ms;
}
