import type { ZodOpenApiResponsesObject } from "zod-openapi";
import { bodyCodes, type ErrorCode, fieldCodes, upstreamCodes } from "../../core/errors.ts";
import type { ErrorDoc, Route, RouteDoc } from "../../http/dialect.ts";
import { statusesOf } from "../../http/reply/http-status.ts";

const JSON_TYPE = "application/json";
const EVENTS_TYPE = "text/event-stream";
const text = { type: "string" } as const;

/** Response headers, described once. */
export const headerComponents = {
  "x-request-id": { schema: text, description: "Name it when you report a problem" },
  "content-language": { schema: text, description: "The language of texts for people" },
  "ratelimit-policy": { schema: text, description: "The limits of the caller's address, if any" },
  ratelimit: { schema: text, description: "What is left of them" },
  "x-parley-dropped": {
    schema: text,
    description: "Fields that the service was not sent, as it has nothing like them",
  },
  "x-parley-estimated": {
    schema: { type: "string", const: "true" },
    description: "Present if the counts of the answer are an estimate",
  },
  "retry-after": { schema: { type: "integer", minimum: 1 }, description: "Seconds" },
  "retry-after-ms": { schema: { type: "integer" }, description: "The same in milliseconds" },
  "x-should-retry": {
    schema: { type: "string", const: "false" },
    description: "Present if waiting less than a minute can't help",
  },
} as const;

const waitHeaders = new Set(["retry-after", "retry-after-ms", "x-should-retry"]);
const waitCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "rate_limited",
  "attempts_limited",
  "streams_limited",
  "tokens_limited",
  "call_too_large",
  "calls_limited",
  "quota_exceeded",
  "group_quota_exceeded",
  "upstream_rate_limited",
  "limits_unavailable",
  "draining",
  "overloaded",
]);

/** `waits`: some of the responses say when to retry. */
function headersOf(waits: boolean) {
  const names = Object.keys(headerComponents).filter((name) => waits || !waitHeaders.has(name));
  return Object.fromEntries(
    names.map((name) => [name, { $ref: `#/components/headers/${name}` as const }]),
  );
}

/** Every response of a route: those of its description and its failures. */
export function responsesOf(
  route: Route,
  doc: RouteDoc,
  errors: ErrorDoc,
): ZodOpenApiResponsesObject {
  return { ...goodResponses(doc), ...errorResponses(failuresOf(route, doc), errors) };
}

function goodResponses(doc: RouteDoc): ZodOpenApiResponsesObject {
  const { status = 200, also = {}, answer, answerExample, answerType = JSON_TYPE, event } = doc;
  if (status === 101) return { 101: { description: "The connection becomes a WebSocket" } };
  const media = answer === undefined ? {} : { schema: answer, example: answerExample };
  const content = {
    ...Object.fromEntries([answerType].flat().map((type) => [type, media])),
    ...(event && { [EVENTS_TYPE]: { schema: event } }),
  };
  const description =
    event === undefined
      ? "Success"
      : "Success; with `stream`, events with one such object each in `data`, then `[DONE]`";
  const meaning = status === 308 ? "The page is elsewhere" : description;
  const responses = Object.entries({ [status]: meaning, ...also });
  const good = { headers: headersOf(false), content };
  return Object.fromEntries(
    responses.map(([code, meaning]) => [code, { ...good, description: meaning }]),
  );
}

function errorResponses(codes: ReadonlySet<ErrorCode>, { status, schema }: ErrorDoc) {
  const responses: ZodOpenApiResponsesObject = {};
  const pairs = [...codes].flatMap((one) => statusesOf(one, status).map((code) => ({ code, one })));
  for (const [code, found] of Map.groupBy(pairs, (pair) => pair.code)) {
    const all = found.map(({ one }) => one);
    responses[`${code}` as "400"] = {
      description: all.map((one) => `\`${one}\``).join(", "),
      headers: headersOf(all.some((one) => waitCodes.has(one))),
      content: { [JSON_TYPE]: { schema } },
    };
  }
  return responses;
}

const tokenCodes = ["token_rejected", "token_disabled", "attempts_limited"] as const;
const credentialCodes = [
  "key_malformed",
  "key_of_other_service",
  ...tokenCodes,
  "storage_unavailable",
] as const;
const visitorCodes = ["token_needed", "address_forbidden"] as const;
const askCodes = [
  "key_missing",
  "key_rejected",
  "key_exhausted",
  "model_forbidden",
  "model_not_priced",
  "endpoint_unavailable",
  "endpoint_not_available",
  "field_unsupported",
  "quota_exceeded",
  "group_quota_exceeded",
  "streams_limited",
  "tokens_limited",
  "call_too_large",
  "calls_limited",
  ...upstreamCodes,
] as const;

/** The failures that follow from a route's description. */
function failuresOf({ counted }: Route, doc: RouteDoc): ReadonlySet<ErrorCode> {
  return new Set<ErrorCode>([
    ...(counted ? (["rate_limited", "limits_unavailable", "draining"] as const) : []),
    ...(doc.body === undefined ? [] : bodyCodes),
    ...(doc.body === undefined && doc.query === undefined ? [] : fieldCodes),
    ...callerFailures(doc),
    ...(doc.fails ?? []),
    ...(doc.status === 101 ? [] : (["internal"] as const)),
  ]);
}

function callerFailures({ credential, body, asks }: RouteDoc): readonly ErrorCode[] {
  if (credential === "admin") return ["admin_token_needed", "attempts_limited"];
  const readsCredential = credential === undefined || credential === "optional";
  const hasBody = readsCredential && body !== undefined;
  const asked = (asks ?? hasBody) ? askCodes : [];
  if (!readsCredential) return asked;
  return [
    ...credentialCodes,
    ...(credential === "optional" ? visitorCodes : (["credential_missing"] as const)),
    ...(hasBody ? (["overloaded"] as const) : []),
    ...asked,
  ];
}
