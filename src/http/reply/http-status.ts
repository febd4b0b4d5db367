import type { ErrorCode, ProxyError } from "../../core/errors.ts";

/** The HTTP status of each error; a dialect that answers differently says so in its own table. */
export const httpStatus = {
  body_not_json: 400,
  body_not_utf8: 400,
  body_not_object: 400,
  body_too_deep: 400,
  body_too_large: 413,
  body_incomplete: 400,
  content_type_unsupported: 415,
  content_encoding_unsupported: 415,
  field_missing: 400,
  field_empty: 400,
  field_type: 400,
  field_range: 400,
  field_choice: 400,
  field_too_many: 400,
  field_too_long: 400,
  field_unknown: 400,
  field_repeated: 400,
  field_needs: 400,
  field_in_use: 400,
  field_unknown_upstream: 400,
  frame_malformed: 400,
  bad_request: 400,
  route_forbidden: 403,
  address_forbidden: 403,
  not_found: 404,
  endpoint_unavailable: 404,
  method_not_allowed: 405,
  upgrade_needed: 426,
  websocket_refused: 426,
  origin_forbidden: 403,
  key_missing: 401,
  key_malformed: 400,
  key_rejected: 401,
  key_exhausted: 429,
  credential_missing: 401,
  token_rejected: 401,
  token_disabled: 401,
  token_needed: 401,
  access_token_rejected: 403,
  admin_needed: 403,
  admin_token_needed: 401,
  model_forbidden: 403,
  model_not_found: 404,
  model_not_available: 400,
  own_key_needed: 403,
  model_not_priced: 400,
  quota_exceeded: 429,
  token_unknown: 404,
  token_revoked: 409,
  token_name_taken: 409,
  price_outdated: 409,
  upstream_unknown: 404,
  upstream_name_taken: 409,
  upstream_in_use: 409,
  upstream_unreadable: 409,
  route_unknown: 404,
  routing_full: 409,
  secret_key_missing: 409,
  idempotency_mismatch: 422,
  idempotency_in_progress: 409,
  idempotency_lost: 409,
  rate_limited: 429,
  attempts_limited: 429,
  streams_limited: 429,
  connections_limited: 429,
  conversation_not_found: 404,
  message_not_found: 404,
  message_too_large: 413,
  conversation_conflict: 409,
  conversation_full: 422,
  conversations_limited: 429,
  upstream_refused: 400,
  upstream_rate_limited: 429,
  upstream_key_rejected: 502,
  upstream_exhausted: 503,
  upstream_failed: 502,
  upstream_unreachable: 502,
  upstream_bad_answer: 502,
  upstream_timeout: 504,
  upstream_busy: 429,
  upstream_unavailable: 503,
  deadline_passed: 504,
  storage_unavailable: 503,
  limits_unavailable: 503,
  overloaded: 503,
  draining: 503,
  internal: 500,
  canceled: 499,
} as const satisfies Record<ErrorCode, number>;

/** The upstream's statuses that are told in every dialect, since they say more than the code's own. */
const TOLD: Partial<Record<ErrorCode, number>> = { upstream_refused: 403, key_exhausted: 402 };

/** Every status that an error of this code may have. */
export function statusesOf(
  code: ErrorCode,
  table: Readonly<Record<ErrorCode, number>> = httpStatus,
): number[] {
  const told = TOLD[code];
  return told === undefined ? [table[code]] : [table[code], told].sort();
}

/** The status of this error, by the table of a dialect. */
export function statusOf(
  { code, details }: ProxyError,
  table: Readonly<Record<ErrorCode, number>> = httpStatus,
): number {
  const told = TOLD[code];
  return told !== undefined && details.upstream_status === told ? told : table[code];
}
