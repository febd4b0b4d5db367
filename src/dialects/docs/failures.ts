import { bodyCodes, type ErrorCode, fieldCodes, upstreamCodes } from "../../core/errors.ts";
import type { Route, RouteDoc } from "../../http/dialect.ts";

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
  ...upstreamCodes,
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
  if (body !== undefined) return [...bodyCodes, ...fieldCodes];
  return query === undefined ? [] : fieldCodes;
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
