import type { ProxyError } from "../../core/errors.ts";
import type { WindowState } from "../../core/ports.ts";
import type { Translated } from "../../core/upstream-ports.ts";
import { htmlTag } from "../../locales.ts";
import type { RequestContext } from "../call/request-context.ts";

/** Every header of ours that a script in a browser may need. */
const EXPOSED = [
  "x-request-id",
  "ratelimit",
  "ratelimit-policy",
  "retry-after",
  "retry-after-ms",
  "x-should-retry",
  "content-language",
  "request-id",
  "x-parley-dropped",
  "x-parley-estimated",
  "x-ratelimit-limit-requests",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-reset-requests",
  "x-parley-upstream",
].join(", ");

/** After a longer wait, clients should not retry by themselves. */
const MAX_USEFUL_WAIT_MS = 60_000;

const UNAUTHORIZED = 401;

/** A plain object: node-server writes it as it is, but takes a Headers object apart again. */
export type ResponseHeaders = Record<string, string>;

/** Headers of every response of every HTTP dialect, streams and errors included. */
export function responseHeaders(context: RequestContext, contentType: string): ResponseHeaders {
  const headers: ResponseHeaders = {
    "content-type": contentType,
    "content-language": htmlTag(context.language),
    vary: "Accept-Language",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": context.requestId,
  };
  if (context.crossOrigin) {
    headers["access-control-allow-origin"] = "*";
    headers["access-control-expose-headers"] = EXPOSED;
  }
  if (context.upstream !== null) headers["x-parley-upstream"] = context.upstream;
  if (context.translated) addTranslated(headers, context.translated);
  const windows = context.limits?.windows ?? [];
  if (windows.length > 0) {
    headers["ratelimit-policy"] = listOf(windows, policyOf);
    headers.ratelimit = listOf(windows, stateOf);
  }
  return headers;
}

/** What the service was not sent, and what it has not counted itself. */
function addTranslated(headers: ResponseHeaders, { dropped, isEstimated }: Translated): void {
  if (dropped.length > 0) headers["x-parley-dropped"] = dropped.join(", ");
  if (isEstimated) headers["x-parley-estimated"] = "true";
}

/**
 * For clients that try again by themselves. Without this, some repeat a call with a wrong credential
 * for minutes, and others one whose size the service refuses.
 */
export function addRetryAdvice(headers: ResponseHeaders, error: ProxyError, status: number): void {
  if (error.retryAfterMs !== undefined) Object.assign(headers, retryHeaders(error.retryAfterMs));
  const isUseless = status === UNAUTHORIZED || error.refusal?.mayRetry === false;
  if (isUseless) headers["x-should-retry"] = "false";
}

/** The wait before a retry, in every spelling that client libraries read. Infinity: none helps. */
export function retryHeaders(retryAfterMs: number): ResponseHeaders {
  if (retryAfterMs === Number.POSITIVE_INFINITY) return { "x-should-retry": "false" };
  const headers: ResponseHeaders = {
    "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1_000))),
    "retry-after-ms": String(Math.ceil(retryAfterMs)),
  };
  if (retryAfterMs > MAX_USEFUL_WAIT_MS) headers["x-should-retry"] = "false";
  return headers;
}

function listOf(windows: readonly WindowState[], itemOf: (window: WindowState) => string): string {
  let list = "";
  for (const window of windows) list += list === "" ? itemOf(window) : `, ${itemOf(window)}`;
  return list;
}

/** RateLimit-Policy as in draft-ietf-httpapi-ratelimit-headers-10: quota and window in seconds. */
function policyOf({ name, limit, windowMs }: WindowState): string {
  return `"${name}";q=${limit};w=${windowMs / 1_000}`;
}

function stateOf({ name, remaining, resetMs }: WindowState): string {
  return `"${name}";r=${remaining};t=${Math.ceil(resetMs / 1_000)}`;
}

/**
 * A whole response in the form node-server writes fastest. Hono's `c.body` would copy the headers
 * into a Headers object, which is then taken apart again (9 µs a call).
 */
export function respond(
  status: number,
  body: string | Uint8Array,
  headers: ResponseHeaders,
): Response {
  return new Response(body as string, { status, headers }); // bytes work too, only the type differs
}
