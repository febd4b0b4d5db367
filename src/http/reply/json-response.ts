import type { ServerResponse } from "node:http";
import { fieldError } from "../../core/common-errors.ts";
import type { ErrorCode, ProxyError } from "../../core/errors.ts";
import { wellFormedJson } from "../../core/well-formed.ts";
import type { Translate } from "../../locales.ts";
import type { AppContext, RequestContext } from "../call/request-context.ts";
import { ALREADY_SENT, STALLED_READER_MS } from "./event-stream.ts";
import { statusOf } from "./http-status.ts";
import {
  addRetryAdvice,
  type ResponseHeaders,
  respond,
  responseHeaders,
} from "./response-headers.ts";

const JSON_TYPE = "application/json; charset=utf-8";

export function respondJson(c: AppContext, status: number, value: unknown): Response {
  return sendJson(c, status, wellFormedJson(value));
}

/** Sends what is JSON already. */
export function sendJson(c: AppContext, status: number, json: WholeBody): Response {
  const { outgoing, context } = c.env;
  return sendWhole(outgoing, status, responseHeaders(context, JSON_TYPE), json);
}

/** The pieces of a body are sent one after the other, and may be one piece several times. */
export type WholeBody = Uint8Array | string | readonly Uint8Array[];

/** Up to this size Node copies the text to a stack buffer instead of allocating. */
const MAX_TEXT_BYTES = 16_384;

/**
 * Writes a response straight to its socket: a Response object costs 11 µs per call. A small body is
 * sent as a Latin-1 string (lossless for bytes), so Node joins it with the headers in one write.
 */
export function sendWhole(
  outgoing: ServerResponse,
  status: number,
  headers: ResponseHeaders,
  body: WholeBody,
): Response {
  if (outgoing.destroyed) return ALREADY_SENT;
  const bytes = lengthOf(body);
  headers["content-length"] = String(bytes);
  outgoing.writeHead(status, headers);
  if (bytes > MAX_TEXT_BYTES) {
    // a reader that takes nothing would hold the room of a large answer for ever
    outgoing.setTimeout(STALLED_READER_MS);
    for (const piece of piecesOf(body)) outgoing.write(piece);
    outgoing.end();
  } else if (typeof body === "string") outgoing.end(body);
  else if (body instanceof Uint8Array) outgoing.end(asBuffer(body).toString("latin1"), "latin1");
  else outgoing.end(Buffer.concat(body));
  return ALREADY_SENT;
}

function lengthOf(body: WholeBody): number {
  if (typeof body === "string") return Buffer.byteLength(body);
  if (body instanceof Uint8Array) return body.length;
  return body.reduce((sum, piece) => sum + piece.length, 0);
}

/** Not as text, which Node would join with the headers and copy again. */
function piecesOf(body: WholeBody): readonly Uint8Array[] {
  if (typeof body === "string") return [Buffer.from(body)];
  return body instanceof Uint8Array ? [body] : body;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** How a dialect whose errors are JSON says what went wrong. */
export interface ErrorForm {
  readonly status: Readonly<Record<ErrorCode, number>>;
  /** Where the dialect's clients send their key, if not as `api_key`. */
  readonly keyField?: string;
  /** `reason` is for people, in their language. */
  body(error: ProxyError, reason: string, context: RequestContext): unknown;
}

/** The text of a failure in a dialect's form: a body, or an event of a stream that broke. */
export type DescribeFailure = (context: RequestContext, error: ProxyError) => string;

export function createDescribeFailure(translate: Translate, form: ErrorForm): DescribeFailure {
  return (context, thrown) => {
    const error = inTermsOf(form, thrown);
    context.error = error;
    return JSON.stringify(form.body(error, reasonText(translate, context, error), context));
  };
}

/** What went wrong, in the caller's language. */
export function reasonText(
  translate: Translate,
  { language, requestId }: RequestContext,
  error: ProxyError,
): string {
  return translate(language, `error.${error.code}`, { ...error.params, requestId });
}

function inTermsOf({ keyField }: ErrorForm, error: ProxyError): ProxyError {
  if (keyField === undefined || error.code !== "key_missing") return error;
  return fieldError("key_missing", keyField);
}

/** A failure as a whole response, not yet written. */
export interface FailureResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: string;
}

export function createFailureResponse(translate: Translate, form: ErrorForm) {
  const describe = createDescribeFailure(translate, form);
  return function failureResponse(context: RequestContext, error: ProxyError): FailureResponse {
    const headers = responseHeaders(context, JSON_TYPE);
    const status = statusOf(error, form.status);
    addRetryAdvice(headers, error, status);
    if (error.code === "method_not_allowed") headers.allow = String(error.details.allow);
    if (error.code === "upgrade_needed") headers.upgrade = "websocket";
    return { status, headers, body: describe(context, error) };
  };
}

export function createJsonErrors(translate: Translate, form: ErrorForm) {
  const failureResponse = createFailureResponse(translate, form);
  return function writeError(c: AppContext, error: ProxyError): Response {
    const { status, headers, body } = failureResponse(c.env.context, error);
    return respond(status, body, headers);
  };
}
