import type { ServerHttp2Stream } from "node:http2";
import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import type { ErrorCode, ProxyError } from "../../../core/errors.ts";
import type { RequestContext } from "../../../http/call/request-context.ts";
import { httpStatus, statusOf } from "../../../http/reply/http-status.ts";
import { retryHeaders } from "../../../http/reply/response-headers.ts";
import type { Translate } from "../../../locales.ts";

type HttpStatus = (typeof httpStatus)[ErrorCode];

/** By HTTP status. Clients may retry UNAVAILABLE by themselves. */
const byHttpStatus = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  405: status.UNIMPLEMENTED,
  409: status.ABORTED,
  413: status.RESOURCE_EXHAUSTED,
  415: status.INVALID_ARGUMENT,
  422: status.INVALID_ARGUMENT,
  426: status.UNIMPLEMENTED,
  429: status.RESOURCE_EXHAUSTED,
  499: status.CANCELLED,
  500: status.INTERNAL,
  502: status.UNAVAILABLE,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
} as const satisfies Record<HttpStatus, status>;

/** Errors whose HTTP status says less than gRPC can. */
const exceptions: Partial<Record<ErrorCode, status>> = {
  key_malformed: status.UNAUTHENTICATED,
  token_revoked: status.FAILED_PRECONDITION,
  token_name_taken: status.FAILED_PRECONDITION,
  upstream_name_taken: status.FAILED_PRECONDITION,
  upstream_in_use: status.FAILED_PRECONDITION,
  upstream_fixed: status.FAILED_PRECONDITION,
  upstream_unreadable: status.FAILED_PRECONDITION,
  routing_full: status.FAILED_PRECONDITION,
  group_name_taken: status.FAILED_PRECONDITION,
  group_in_use: status.FAILED_PRECONDITION,
  price_outdated: status.FAILED_PRECONDITION,
  secret_key_missing: status.FAILED_PRECONDITION,
  conversation_full: status.FAILED_PRECONDITION,
  upstream_key_rejected: status.INTERNAL,
  upstream_bad_answer: status.INTERNAL,
};

export function grpcStatus(error: ProxyError): status {
  const { code } = error;
  if (statusOf(error) === 403) return byHttpStatus[403];
  return exceptions[code] ?? byHttpStatus[httpStatus[code]];
}

/** The text is sent as a percent-encoded header; some clients refuse larger headers. */
const MAX_TEXT_CHARACTERS = 500;

/** A failure as the end of a call: a text for people, and trailing metadata for programs. */
export type DescribeStatus = (context: RequestContext, error: ProxyError) => StatusObject;

export function createDescribeStatus(translate: Translate): DescribeStatus {
  return ({ requestId, language, upstream }, error) => {
    const text = translate(language, `error.${error.code}`, { ...error.params, requestId });
    const metadata = new Metadata();
    metadata.set("error-code", error.code);
    metadata.set("x-request-id", requestId);
    if (upstream !== null) metadata.set("x-parley-upstream", upstream);
    const retry = error.retryAfterMs === undefined ? {} : retryHeaders(error.retryAfterMs);
    for (const [name, value] of Object.entries(retry)) metadata.set(name, value);
    // the library encodes the text, and throws if it contains half a character
    const details = text.slice(0, MAX_TEXT_CHARACTERS).toWellFormed();
    return { code: grpcStatus(error), details, metadata };
  };
}

/** HTTP statuses for the gRPC statuses that the library sends by itself. */
const httpOfLibrary: Readonly<Record<number, number>> = {
  [status.RESOURCE_EXHAUSTED]: httpStatus.body_too_large,
  [status.DEADLINE_EXCEEDED]: httpStatus.upstream_timeout,
  [status.UNIMPLEMENTED]: httpStatus.bad_request,
  [status.INTERNAL]: httpStatus.bad_request,
};

/** The end of a closed stream as an HTTP status, for logs and metrics. `failure`: the one we sent, if any. */
export function endStatus(stream: ServerHttp2Stream, failure: ProxyError | null): number {
  // a response without messages has its status in the headers
  const { sentTrailers, sentHeaders } = stream;
  const sent = sentTrailers?.["grpc-status"] ?? sentHeaders?.["grpc-status"];
  if (sent === undefined) return httpStatus.canceled;
  if (Number(sent) === status.OK) return 200;
  if (failure !== null) return statusOf(failure);
  return httpOfLibrary[Number(sent)] ?? httpStatus.internal;
}
