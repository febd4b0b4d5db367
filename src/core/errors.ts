import type { CallSignal } from "./call/call.ts";

/** A body that can't be read. */
export const bodyCodes = [
  "body_not_json",
  "body_not_utf8",
  "body_not_object",
  "body_too_deep",
  "body_too_large",
  "body_incomplete",
  "content_type_unsupported",
  "content_encoding_unsupported",
] as const;

/** A field that is not what it should be, in any dialect. */
export const fieldCodes = [
  "field_missing",
  "field_empty",
  "field_type",
  "field_range",
  "field_choice",
  "field_too_many",
] as const;

/** What the upstream did. */
export const upstreamCodes = [
  "upstream_refused",
  "upstream_rate_limited",
  "upstream_key_rejected",
  "upstream_exhausted",
  "upstream_failed",
  "upstream_unreachable",
  "upstream_bad_answer",
  "upstream_timeout",
  "upstream_busy",
  "upstream_unavailable",
] as const;

/**
 * Every way a call can fail, as a closed list. A code is stable: clients, locales (`error.<code>`)
 * and each dialect's status table are keyed by it, and a new code does not compile until every
 * dialect has mapped it.
 */
export const errorCodes = [
  // the request itself
  ...bodyCodes,
  ...fieldCodes,
  "field_too_long",
  "field_unknown",
  "field_repeated",
  "field_needs",
  "field_in_use",
  "field_unknown_upstream",
  "field_unsupported",
  "frame_malformed",
  "bad_request",
  // where it went, and from where
  "route_forbidden",
  "address_forbidden",
  "not_found",
  "endpoint_unavailable",
  "endpoint_not_available",
  "method_not_allowed",
  "upgrade_needed",
  "websocket_refused",
  "origin_forbidden",
  // credentials
  "key_missing",
  "key_malformed",
  "key_rejected",
  "key_of_other_service",
  "key_exhausted",
  "credential_missing",
  "token_rejected",
  "token_disabled",
  "token_needed",
  "access_token_rejected",
  "admin_needed",
  "admin_token_needed",
  "admin_setup_needed",
  "admin_origin_forbidden",
  "setup_code_rejected",
  // what a token may do
  "model_forbidden",
  "model_not_found",
  "model_not_available",
  "stored_not_found",
  "own_key_needed",
  "model_not_priced",
  "quota_exceeded",
  "group_quota_exceeded",
  // what the operator asked for
  "token_unknown",
  "token_revoked",
  "token_name_taken",
  "group_unknown",
  "group_name_taken",
  "group_in_use",
  "price_outdated",
  "upstream_unknown",
  "upstream_name_taken",
  "upstream_in_use",
  "upstream_fixed",
  "upstream_unreadable",
  "route_unknown",
  "routing_full",
  "secret_key_missing",
  // repeated calls
  "idempotency_mismatch",
  "idempotency_in_progress",
  "idempotency_lost",
  // limits
  "rate_limited",
  "attempts_limited",
  "streams_limited",
  "tokens_limited",
  "call_too_large",
  "calls_limited",
  "connections_limited",
  // kept conversations
  "conversation_not_found",
  "message_not_found",
  "message_too_large",
  "conversation_conflict",
  "conversation_full",
  "conversations_limited",
  ...upstreamCodes,
  "deadline_passed",
  // ourselves
  "storage_unavailable",
  "limits_unavailable",
  "overloaded",
  "draining",
  "internal",
  "canceled",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** Values for the placeholders of a locale text. Shown to clients, so never a secret. */
export type ErrorParams = Readonly<Record<string, string | number>>;

/** The upstream's own refusal, redacted, for dialects whose clients know the upstream's words. */
export interface UpstreamRefusal {
  readonly status: number;
  /** In OpenAI's form; null if the upstream said nothing. */
  readonly body: string | null;
  /** Whether the same request may pass later; the client is told if it can't. */
  readonly mayRetry: boolean;
}

/** What the upstream answered, for the log: never its words, which may quote the question. */
export interface UpstreamAnswered {
  readonly status: number;
  /** Its own name for what went wrong. */
  readonly code: string | null;
  /** One of its names for it is about the model. */
  readonly isModel?: boolean;
}

interface ProxyErrorOptions {
  readonly params?: ErrorParams;
  /** Details for programs, sent beside the text; same rule as for params. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Infinity: waiting can't help. */
  readonly retryAfterMs?: number | undefined;
  readonly refusal?: UpstreamRefusal | undefined;
  /** For the log only, like the cause. */
  readonly answered?: UpstreamAnswered | undefined;
  /** For the log only; never shown to a client. */
  readonly cause?: unknown;
}

/** The only error thrown on purpose. Dialects look its text up by code. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
  readonly code: ErrorCode;
  readonly params: ErrorParams;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfterMs: number | undefined;
  readonly refusal: UpstreamRefusal | undefined;
  readonly answered: UpstreamAnswered | undefined;

  constructor(code: ErrorCode, options: ProxyErrorOptions = {}) {
    super(code, { cause: options.cause });
    this.code = code;
    this.params = options.params ?? {};
    this.details = options.details ?? {};
    this.retryAfterMs = options.retryAfterMs;
    this.refusal = options.refusal;
    this.answered = options.answered;
  }
}

/** Why a call was aborted: the reason we gave, or else its client left. */
export function abortReason({ reason }: CallSignal): ProxyError {
  return reason instanceof ProxyError ? reason : new ProxyError("canceled");
}

/** The answer is no longer wanted: the client has left, or its conversation is gone. */
export function isCanceled({ code }: ProxyError): boolean {
  return code === "canceled" || code === "conversation_not_found";
}

/** The only conversion: everything else that was thrown becomes `internal`. */
export function toProxyError(thrown: unknown): ProxyError {
  if (thrown instanceof ProxyError) return thrown;
  return new ProxyError("internal", { cause: thrown });
}
