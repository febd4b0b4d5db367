import { z } from "zod";
import type { ErrorCode, ProxyError } from "../../core/errors.ts";
import type { ErrorDoc } from "../../http/dialect.ts";
import { httpStatus } from "../../http/reply/http-status.ts";

const errorTypes = [
  "invalid_request_error",
  "authentication_error",
  "permission_error",
  "rate_limit_error",
  "insufficient_quota",
  "server_error",
] as const;
type ErrorType = (typeof errorTypes)[number];

/** The `type` of each error, as OpenAI's clients tell them apart. */
const errorType = {
  body_not_json: "invalid_request_error",
  body_not_utf8: "invalid_request_error",
  body_not_object: "invalid_request_error",
  body_too_deep: "invalid_request_error",
  body_too_large: "invalid_request_error",
  body_incomplete: "invalid_request_error",
  content_type_unsupported: "invalid_request_error",
  field_missing: "invalid_request_error",
  field_empty: "invalid_request_error",
  field_type: "invalid_request_error",
  field_range: "invalid_request_error",
  field_choice: "invalid_request_error",
  field_too_many: "invalid_request_error",
  field_too_long: "invalid_request_error",
  field_unknown: "invalid_request_error",
  field_needs: "invalid_request_error",
  field_in_use: "invalid_request_error",
  frame_malformed: "invalid_request_error",
  bad_request: "invalid_request_error",
  route_forbidden: "permission_error",
  address_forbidden: "permission_error",
  not_found: "invalid_request_error",
  method_not_allowed: "invalid_request_error",
  upgrade_needed: "invalid_request_error",
  origin_forbidden: "permission_error",
  key_missing: "authentication_error",
  key_malformed: "authentication_error",
  key_rejected: "authentication_error",
  key_exhausted: "insufficient_quota",
  credential_missing: "authentication_error",
  token_rejected: "authentication_error",
  token_needed: "authentication_error",
  access_token_rejected: "permission_error",
  admin_needed: "permission_error",
  model_forbidden: "permission_error",
  model_not_priced: "invalid_request_error",
  quota_exceeded: "insufficient_quota",
  token_unknown: "invalid_request_error",
  price_outdated: "invalid_request_error",
  secret_key_missing: "invalid_request_error",
  idempotency_mismatch: "invalid_request_error",
  idempotency_in_progress: "invalid_request_error",
  rate_limited: "rate_limit_error",
  streams_limited: "rate_limit_error",
  connections_limited: "rate_limit_error",
  conversation_not_found: "invalid_request_error",
  message_not_found: "invalid_request_error",
  message_too_large: "invalid_request_error",
  conversation_conflict: "invalid_request_error",
  conversation_full: "invalid_request_error",
  conversations_limited: "rate_limit_error",
  upstream_refused: "invalid_request_error",
  upstream_rate_limited: "rate_limit_error",
  upstream_key_rejected: "server_error",
  upstream_exhausted: "server_error",
  upstream_failed: "server_error",
  upstream_unreachable: "server_error",
  upstream_bad_answer: "server_error",
  upstream_timeout: "server_error",
  storage_unavailable: "server_error",
  overloaded: "server_error",
  draining: "server_error",
  internal: "server_error",
  canceled: "server_error",
} as const satisfies Record<ErrorCode, ErrorType>;

/** Where OpenAI has a name of its own for an error, its clients look for that. */
const openaiCode: Partial<Record<ErrorCode, string>> = {
  credential_missing: "invalid_api_key",
  token_rejected: "invalid_api_key",
  key_rejected: "invalid_api_key",
  key_malformed: "invalid_api_key",
  key_missing: "invalid_api_key",
  rate_limited: "rate_limit_exceeded",
  upstream_rate_limited: "rate_limit_exceeded",
  key_exhausted: "insufficient_quota",
  quota_exceeded: "insufficient_quota",
};

const openaiStatus = {
  ...httpStatus,
  // OpenAI's clients expect 401 for whatever can't be a key
  key_malformed: 401,
} as const satisfies Record<ErrorCode, number>;

export function statusOf(error: ProxyError): number {
  return error.refusal?.status ?? openaiStatus[error.code];
}

/** For /openapi.json. What the upstream refuses comes in its own words, which may hold other types. */
export const openaiErrors: ErrorDoc = {
  status: openaiStatus,
  schema: z.object({
    error: z.looseObject({
      message: z.string().describe("In the language of the request, or the upstream's own words"),
      type: z
        .string()
        .nullish()
        .describe(`Ours are: ${errorTypes.join(", ")}`),
      param: z.string().nullish(),
      code: z.string().nullish(),
    }),
  }),
};

/** OpenAI's error object as text. An upstream's refusal of the request is passed on in its words. */
export function errorBody(error: ProxyError, message: string): string {
  if (error.refusal !== undefined) return error.refusal.body;
  const { field, ...details } = error.details;
  return JSON.stringify({
    error: {
      message,
      type: errorType[error.code],
      param: typeof field === "string" ? field : null,
      code: openaiCode[error.code] ?? error.code,
      ...details,
    },
  });
}
