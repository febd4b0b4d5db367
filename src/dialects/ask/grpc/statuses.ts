import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import type { ErrorCode, ProxyError } from "../../../core/errors.ts";
import type { RequestContext } from "../../../http/call/request-context.ts";
import { retryHeaders } from "../../../http/reply/response-headers.ts";
import type { Translate } from "../../../locales.ts";

/** The gRPC status of each error. UNAVAILABLE is what clients may try again by themselves. */
export const grpcStatus = {
  body_not_json: status.INVALID_ARGUMENT,
  body_not_utf8: status.INVALID_ARGUMENT,
  body_not_object: status.INVALID_ARGUMENT,
  body_too_deep: status.INVALID_ARGUMENT,
  body_too_large: status.RESOURCE_EXHAUSTED,
  body_incomplete: status.INVALID_ARGUMENT,
  content_type_unsupported: status.INVALID_ARGUMENT,
  field_missing: status.INVALID_ARGUMENT,
  field_empty: status.INVALID_ARGUMENT,
  field_type: status.INVALID_ARGUMENT,
  field_range: status.INVALID_ARGUMENT,
  field_choice: status.INVALID_ARGUMENT,
  field_too_many: status.INVALID_ARGUMENT,
  field_too_long: status.INVALID_ARGUMENT,
  field_unknown: status.INVALID_ARGUMENT,
  field_needs: status.INVALID_ARGUMENT,
  field_in_use: status.INVALID_ARGUMENT,
  frame_malformed: status.INVALID_ARGUMENT,
  bad_request: status.INVALID_ARGUMENT,
  route_forbidden: status.PERMISSION_DENIED,
  address_forbidden: status.PERMISSION_DENIED,
  not_found: status.NOT_FOUND,
  method_not_allowed: status.UNIMPLEMENTED,
  upgrade_needed: status.UNIMPLEMENTED,
  origin_forbidden: status.PERMISSION_DENIED,
  key_missing: status.UNAUTHENTICATED,
  key_malformed: status.UNAUTHENTICATED,
  key_rejected: status.UNAUTHENTICATED,
  key_exhausted: status.RESOURCE_EXHAUSTED,
  credential_missing: status.UNAUTHENTICATED,
  token_rejected: status.UNAUTHENTICATED,
  token_needed: status.UNAUTHENTICATED,
  access_token_rejected: status.PERMISSION_DENIED,
  admin_needed: status.PERMISSION_DENIED,
  model_forbidden: status.PERMISSION_DENIED,
  model_not_priced: status.INVALID_ARGUMENT,
  quota_exceeded: status.RESOURCE_EXHAUSTED,
  token_unknown: status.NOT_FOUND,
  price_outdated: status.FAILED_PRECONDITION,
  secret_key_missing: status.FAILED_PRECONDITION,
  idempotency_mismatch: status.INVALID_ARGUMENT,
  idempotency_in_progress: status.ABORTED,
  rate_limited: status.RESOURCE_EXHAUSTED,
  streams_limited: status.RESOURCE_EXHAUSTED,
  connections_limited: status.RESOURCE_EXHAUSTED,
  conversation_not_found: status.NOT_FOUND,
  message_not_found: status.NOT_FOUND,
  message_too_large: status.RESOURCE_EXHAUSTED,
  conversation_conflict: status.ABORTED,
  conversation_full: status.FAILED_PRECONDITION,
  conversations_limited: status.RESOURCE_EXHAUSTED,
  upstream_refused: status.INVALID_ARGUMENT,
  upstream_rate_limited: status.RESOURCE_EXHAUSTED,
  upstream_key_rejected: status.INTERNAL,
  upstream_exhausted: status.UNAVAILABLE,
  upstream_failed: status.UNAVAILABLE,
  upstream_unreachable: status.UNAVAILABLE,
  upstream_bad_answer: status.INTERNAL,
  upstream_timeout: status.DEADLINE_EXCEEDED,
  storage_unavailable: status.UNAVAILABLE,
  overloaded: status.UNAVAILABLE,
  draining: status.UNAVAILABLE,
  internal: status.INTERNAL,
  canceled: status.CANCELLED,
} as const satisfies Record<ErrorCode, status>;

/** The text travels as a header, percent-encoded; with larger ones some clients refuse the answer. */
const MAX_TEXT_CHARACTERS = 500;

/** A failure as the last thing of a call: the text for people, in trailing metadata what programs read. */
export type DescribeStatus = (context: RequestContext, error: ProxyError) => StatusObject;

export function createDescribeStatus(translate: Translate): DescribeStatus {
  return ({ requestId, language }, error) => {
    const text = translate(language, `error.${error.code}`, { ...error.params, requestId });
    const metadata = new Metadata();
    metadata.set("error-code", error.code);
    metadata.set("x-request-id", requestId);
    const retry = error.retryAfterMs === undefined ? {} : retryHeaders(error.retryAfterMs);
    for (const [name, value] of Object.entries(retry)) metadata.set(name, value);
    // the library encodes it, and throws where a client's half of a character is in it
    const details = text.slice(0, MAX_TEXT_CHARACTERS).toWellFormed();
    return { code: grpcStatus[error.code], details, metadata };
  };
}
