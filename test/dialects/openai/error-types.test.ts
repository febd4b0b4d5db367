import { expect, test } from "vitest";
import { errorCodes, ProxyError } from "../../../src/core/errors.ts";
import { writeOpenAIError } from "../../../src/dialects/openai/errors.ts";
import type { RequestContext } from "../../../src/http/call/request-context.ts";
import { createTranslate } from "../../../src/locales.ts";

/** By contract, apart from the rule that the code derives them by. */
const codesOfType = {
  authentication_error: [
    "key_missing",
    "key_malformed",
    "key_rejected",
    "key_of_other_service",
    "credential_missing",
    "token_rejected",
    "token_disabled",
    "token_needed",
    "admin_token_needed",
    "admin_setup_needed",
  ],
  insufficient_quota: ["key_exhausted", "quota_exceeded", "group_quota_exceeded"],
  tokens: ["tokens_limited", "call_too_large"],
  invalid_request_error: [
    "body_not_json",
    "body_not_utf8",
    "body_not_object",
    "body_too_deep",
    "body_too_large",
    "body_incomplete",
    "content_type_unsupported",
    "content_encoding_unsupported",
    "field_missing",
    "field_empty",
    "field_type",
    "field_range",
    "field_choice",
    "field_too_many",
    "field_too_long",
    "field_unknown",
    "field_repeated",
    "field_needs",
    "field_in_use",
    "field_unsupported",
    "frame_malformed",
    "bad_request",
    "not_found",
    "method_not_allowed",
    "upgrade_needed",
    "websocket_refused",
    "endpoint_unavailable",
    "endpoint_not_available",
    "model_not_found",
    "model_not_available",
    "field_unknown_upstream",
    "stored_not_found",
    "model_not_priced",
    "token_unknown",
    "token_revoked",
    "token_name_taken",
    "group_unknown",
    "group_name_taken",
    "group_in_use",
    "upstream_unknown",
    "upstream_name_taken",
    "upstream_in_use",
    "upstream_fixed",
    "upstream_unreadable",
    "route_unknown",
    "routing_full",
    "price_outdated",
    "secret_key_missing",
    "idempotency_mismatch",
    "idempotency_in_progress",
    "idempotency_lost",
    "conversation_not_found",
    "message_not_found",
    "message_too_large",
    "conversation_conflict",
    "conversation_full",
    "upstream_refused",
  ],
  permission_error: [
    "route_forbidden",
    "address_forbidden",
    "origin_forbidden",
    "access_token_rejected",
    "admin_needed",
    "admin_origin_forbidden",
    "setup_code_rejected",
    "model_forbidden",
    "own_key_needed",
  ],
  rate_limit_error: [
    "rate_limited",
    "calls_limited",
    "attempts_limited",
    "streams_limited",
    "connections_limited",
    "conversations_limited",
    "upstream_rate_limited",
    "upstream_busy",
  ],
  server_error: [
    "upstream_key_rejected",
    "upstream_exhausted",
    "upstream_failed",
    "upstream_unreachable",
    "upstream_bad_answer",
    "upstream_timeout",
    "upstream_unavailable",
    "deadline_passed",
    "storage_unavailable",
    "limits_unavailable",
    "overloaded",
    "draining",
    "internal",
    "canceled",
  ],
};

const translate = createTranslate();
const context = { language: "en", requestId: "id-1" } as RequestContext; // as much as an error reads

test("every code has the type that OpenAI's clients know", () => {
  const written = errorCodes.map((code) => {
    const { error } = JSON.parse(writeOpenAIError(translate, context, new ProxyError(code)));
    return [code, error.type];
  });
  const expected = Object.entries(codesOfType).flatMap(([type, codes]) =>
    codes.map((code) => [code, type]),
  );
  expect(written.sort()).toEqual(expected.sort());
});
