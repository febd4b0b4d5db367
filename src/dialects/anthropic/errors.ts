import { z } from "zod";
import { type ErrorCode, errorCodes, type ProxyError } from "../../core/errors.ts";
import type { RequestContext } from "../../http/call/request-context.ts";
import type { ErrorDoc, WriteError } from "../../http/dialect.ts";
import { httpStatus, statusOf } from "../../http/reply/http-status.ts";
import type { WriteBreak } from "../../http/reply/pass-on.ts";
import {
  addRetryAdvice,
  type ResponseHeaders,
  respond,
  responseHeaders,
} from "../../http/reply/response-headers.ts";
import type { Translate } from "../../locales.ts";

const OVERLOADED = 529;

const anthropicStatus = {
  ...httpStatus,
  key_malformed: 401,
  overloaded: OVERLOADED,
} as const satisfies Record<ErrorCode, number>;

/** Anthropic's `type` follows the status. */
const TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  408: "timeout_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  [OVERLOADED]: "overloaded_error",
};

function typeOf(status: number): string {
  return TYPES[status] ?? (status >= 499 ? "api_error" : "invalid_request_error");
}

/** Errors in /openapi.json. */
export const anthropicErrors: ErrorDoc = {
  status: anthropicStatus,
  schema: z.object({
    type: z.literal("error"),
    error: z.looseObject({
      type: z
        .string()
        .describe([...new Set(errorCodes.map((code) => typeOf(anthropicStatus[code])))].join(", ")),
      message: z.string().describe("In the language of the request, or the service's own words"),
      details: z.looseObject({ error_code: z.string() }).optional(),
    }),
    request_id: z.string(),
  }),
};

/** The usual headers, and the request's ID under the name that Anthropic's clients look for. */
export function anthropicResponseHeaders(
  context: RequestContext,
  contentType: string,
): ResponseHeaders {
  const headers = responseHeaders(context, contentType);
  headers["request-id"] = context.requestId;
  return headers;
}

export function createAnthropicErrors(translate: Translate): WriteError {
  return (c, error) => {
    const { context } = c.env;
    const headers = anthropicResponseHeaders(context, "application/json");
    const status = statusIn(error);
    addRetryAdvice(headers, error, status);
    if (error.code === "method_not_allowed") headers.allow = String(error.details.allow);
    return respond(status, describeError(translate, context, error), headers);
  };
}

/** The last event of a stream that broke. */
export function createErrorEvent(translate: Translate, context: RequestContext): WriteBreak {
  return (error) => `event: error\ndata: ${describeError(translate, context, error)}\n\n`;
}

function statusIn(error: ProxyError): number {
  if (isOverloaded(error)) return OVERLOADED;
  return error.refusal?.status ?? statusOf(error, anthropicStatus);
}

/** The service says that it is. */
function isOverloaded({ code, details, answered }: ProxyError): boolean {
  if (code !== "upstream_failed") return false;
  return details.upstream_status === OVERLOADED || answered?.code === "overloaded_error";
}

function describeError(translate: Translate, context: RequestContext, error: ProxyError): string {
  context.error = error;
  const { language, requestId } = context;
  const body = error.refusal?.body ?? null;
  const said = body === null ? null : saidIn(body);
  const text = translate(language, `error.${error.code}`, { ...error.params, requestId });
  const own = { type: typeOf(statusIn(error)), message: text };
  const details = { error_code: error.code, ...error.details };
  const shown = said === null ? { ...own, details } : { ...own, ...said };
  return JSON.stringify({ type: "error", error: shown, request_id: requestId });
}

/** The service's own words, and its type for them if it is one of Anthropic's. */
function saidIn(body: string): object | null {
  const { error } = JSON.parse(body) as { error?: Record<string, unknown> };
  const { message, type, details } = error ?? {};
  if (typeof message !== "string") return null;
  const isOurs = typeof type === "string" && /^[a-z_]+_error$|^request_too_large$/.test(type);
  return {
    message,
    ...(isOurs && { type }),
    ...(typeof details === "object" && details !== null && { details }),
  };
}
