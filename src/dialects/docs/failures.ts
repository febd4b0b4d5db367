import type { ErrorCode } from "../../core/errors.ts";
import type { Route, RouteDoc } from "../dialect.ts";

const ofBodies: readonly ErrorCode[] = [
  "body_too_large",
  "content_type_unsupported",
  "body_incomplete",
  "body_not_utf8",
  "body_too_deep",
  "body_not_json",
  "body_not_object",
];
const ofFields: readonly ErrorCode[] = [
  "field_missing",
  "field_empty",
  "field_type",
  "field_range",
  "field_choice",
  "field_too_many",
];
const ofCredentials: readonly ErrorCode[] = [
  "key_malformed",
  "token_rejected",
  "storage_unavailable",
];
const ofVisitors: readonly ErrorCode[] = ["token_needed", "address_forbidden"];
const ofUpstream: readonly ErrorCode[] = [
  "key_missing",
  "key_rejected",
  "key_exhausted",
  "model_forbidden",
  "model_not_priced",
  "quota_exceeded",
  "streams_limited",
  "upstream_refused",
  "upstream_rate_limited",
  "upstream_key_rejected",
  "upstream_exhausted",
  "upstream_failed",
  "upstream_unreachable",
  "upstream_bad_answer",
  "upstream_timeout",
];

/** What a route can fail with, as far as its description tells. */
export function failuresOf({ counted }: Route, doc: RouteDoc): ReadonlySet<ErrorCode> {
  return new Set<ErrorCode>([
    ...(counted ? (["rate_limited", "draining"] as const) : []),
    ...ofInput(doc),
    ...ofCaller(doc),
    ...(doc.fails ?? []),
    ...(doc.status === 101 ? [] : (["internal"] as const)),
  ]);
}

function ofInput({ body, query }: RouteDoc): readonly ErrorCode[] {
  if (body !== undefined) return [...ofBodies, ...ofFields];
  return query === undefined ? [] : ofFields;
}

function ofCaller({ credential, body, asks }: RouteDoc): readonly ErrorCode[] {
  switch (credential) {
    case "none":
    case "metrics":
      return asks === true ? ofUpstream : [];
    case "admin":
      return ["credential_missing", "token_rejected"];
    default: {
      const hasBody = body !== undefined;
      return [
        ...ofCredentials,
        ...(credential === "optional" ? ofVisitors : (["credential_missing"] as const)),
        ...(hasBody ? (["overloaded"] as const) : []),
        ...((asks ?? hasBody) ? ofUpstream : []),
      ];
    }
  }
}
