import { z } from "zod";
import { type ErrorCode, errorCodes, type ProxyError } from "../../core/errors.ts";
import type { RequestContext } from "../../http/call/request-context.ts";
import type { ErrorDoc, WriteError } from "../../http/dialect.ts";
import { httpStatus, statusOf } from "../../http/reply/http-status.ts";
import { addRetryAdvice, respond } from "../../http/reply/response-headers.ts";
import type { Translate } from "../../locales.ts";
import { openaiHeaders } from "./wire.ts";

const openaiStatus = {
  ...httpStatus,
  // OpenAI's clients expect 401 for anything that can't be a key
  key_malformed: 401,
} as const satisfies Record<ErrorCode, number>;

/** OpenAI's `type` follows the status; other statuses are an `invalid_request_error`. */
const typeByStatus: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  429: "rate_limit_error",
  499: "server_error",
};
const typeByCode: Partial<Record<ErrorCode, string>> = {
  key_exhausted: "insufficient_quota",
  quota_exceeded: "insufficient_quota",
  group_quota_exceeded: "insufficient_quota",
  tokens_limited: "tokens",
  call_too_large: "tokens",
};

function typeOf(code: ErrorCode, status: number = openaiStatus[code]): string {
  const byStatus = typeByStatus[status] ?? (status >= 500 ? "server_error" : null);
  return typeByCode[code] ?? byStatus ?? "invalid_request_error";
}

/** Codes for which OpenAI has its own name, which its clients look for. */
const openaiCode: Partial<Record<ErrorCode, string>> = {
  credential_missing: "invalid_api_key",
  token_rejected: "invalid_api_key",
  key_rejected: "invalid_api_key",
  key_malformed: "invalid_api_key",
  key_missing: "invalid_api_key",
  rate_limited: "rate_limit_exceeded",
  tokens_limited: "rate_limit_exceeded",
  call_too_large: "rate_limit_exceeded",
  calls_limited: "rate_limit_exceeded",
  upstream_rate_limited: "rate_limit_exceeded",
  key_exhausted: "insufficient_quota",
  quota_exceeded: "insufficient_quota",
  group_quota_exceeded: "insufficient_quota",
};

/** Errors in /openapi.json. An upstream's refusal keeps its own words, which may have other types. */
export const openaiErrors: ErrorDoc = {
  status: openaiStatus,
  schema: z.object({
    error: z.looseObject({
      message: z.string().describe("In the language of the request, or the upstream's own words"),
      type: z
        .string()
        .nullish()
        .describe(
          `Parley's types: ${[...new Set(errorCodes.map((code) => typeOf(code)))].join(", ")}`,
        ),
      param: z.string().nullish(),
      code: z.string().nullish(),
    }),
  }),
};

/** Writes the errors of every path below /v1, known or not. */
export function createOpenAIErrors(translate: Translate): WriteError {
  return (c, error) => {
    const { context } = c.env;
    const headers = openaiHeaders(context, "application/json");
    const status = statusIn(error);
    addRetryAdvice(headers, error, status);
    if (error.code === "method_not_allowed") headers.allow = String(error.details.allow);
    return respond(status, writeOpenAIError(translate, context, error), headers);
  };
}

/** Clients of OpenAI know the upstream's statuses. */
function statusIn(error: ProxyError): number {
  return error.refusal?.status ?? statusOf(error, openaiStatus);
}

/** OpenAI's error object as text. An upstream's refusal of the request keeps its own words. */
export function writeOpenAIError(
  translate: Translate,
  context: RequestContext,
  error: ProxyError,
): string {
  context.error = error;
  const { language, requestId } = context;
  if (error.refusal?.body != null) return error.refusal.body;
  const { field, ...details } = error.details;
  return JSON.stringify({
    error: {
      message: translate(language, `error.${error.code}`, { ...error.params, requestId }),
      type: typeOf(error.code, statusIn(error)),
      param: typeof field === "string" ? field : null,
      code: openaiCode[error.code] ?? error.code,
      ...details,
    },
  });
}
