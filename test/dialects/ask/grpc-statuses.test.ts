import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { errorCodes, ProxyError } from "../../../src/core/errors.ts";
import { grpcStatus } from "../../../src/dialects/ask/grpc/statuses.ts";

const expected: Partial<Record<keyof typeof status, string>> = {
  INVALID_ARGUMENT: `
    body_not_json body_not_utf8 body_not_object body_too_deep body_incomplete
    content_type_unsupported content_encoding_unsupported field_missing field_empty field_type field_range field_choice
    field_too_many field_too_long field_unknown field_repeated field_needs field_in_use frame_malformed
    field_unsupported endpoint_not_available field_unknown_upstream
    bad_request model_not_available model_not_priced idempotency_mismatch upstream_refused`,
  RESOURCE_EXHAUSTED: `
    body_too_large key_exhausted quota_exceeded group_quota_exceeded tokens_limited call_too_large calls_limited rate_limited attempts_limited streams_limited connections_limited
    message_too_large conversations_limited upstream_rate_limited upstream_busy`,
  PERMISSION_DENIED: `
    route_forbidden address_forbidden origin_forbidden access_token_rejected admin_needed
    admin_origin_forbidden setup_code_rejected
    model_forbidden own_key_needed`,
  NOT_FOUND: `
    not_found endpoint_unavailable model_not_found stored_not_found token_unknown group_unknown upstream_unknown route_unknown conversation_not_found message_not_found`,
  UNIMPLEMENTED: `
    method_not_allowed upgrade_needed websocket_refused`,
  UNAUTHENTICATED: `
    key_missing key_malformed key_rejected key_of_other_service credential_missing token_rejected token_disabled token_needed
    admin_token_needed admin_setup_needed`,
  FAILED_PRECONDITION: `
    token_revoked token_name_taken group_name_taken group_in_use upstream_name_taken upstream_in_use upstream_fixed upstream_unreadable routing_full
    price_outdated secret_key_missing conversation_full`,
  ABORTED: `
    idempotency_in_progress idempotency_lost conversation_conflict`,
  INTERNAL: `
    upstream_key_rejected upstream_bad_answer internal`,
  UNAVAILABLE: `
    upstream_exhausted upstream_failed upstream_unreachable upstream_unavailable storage_unavailable limits_unavailable
    overloaded draining`,
  DEADLINE_EXCEEDED: `
    upstream_timeout deadline_passed`,
  CANCELLED: `
    canceled`,
};

test("each error code has its gRPC status", () => {
  const pairs = Object.entries(expected).flatMap(([name, codes]) =>
    codes
      .trim()
      .split(/\s+/)
      .map((code) => `${code} ${name}`),
  );
  expect(
    errorCodes.map((code) => `${code} ${status[grpcStatus(new ProxyError(code))]}`).sort(),
  ).toEqual(pairs.sort());
});
