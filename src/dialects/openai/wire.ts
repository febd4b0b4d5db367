import type { ServerResponse } from "node:http";
import type { RelayCall } from "../../core/call/pipeline.ts";
import { toProxyError } from "../../core/errors.ts";
import type {
  PassingAnswer,
  RelayAnswer,
  RelayPiece,
  RelayRequest,
  StreamedAnswer,
} from "../../core/upstream-ports.ts";
import { withExactNumbers } from "../../http/body/exact-numbers.ts";
import type { PassedOn } from "../../http/body/model-choice.ts";
import { countKeys, parsed } from "../../http/body/parsed.ts";
import {
  askingForUsage,
  expectedOfRelay,
  needsUsageOption,
  usageOption,
  withoutLookalikes,
  withTokenField,
} from "../../http/body/relay-fields.ts";
import type { RequestContext } from "../../http/call/request-context.ts";
import { EVENT_STREAM_HEADERS, roomIn, sentBy } from "../../http/reply/event-stream.ts";
import { sendWhole } from "../../http/reply/json-response.ts";
import { type ResponseHeaders, responseHeaders } from "../../http/reply/response-headers.ts";
import type { WriteBreak } from "./broken-stream.ts";
import { chatEndpoint, type Endpoint } from "./endpoints.ts";

/**
 * Throws the first mistake, naming the field. `defaultModel`: sent upstream if the request names no
 * model; null: the upstream has its own. `check` throws what the operator doesn't allow.
 */
export function parseRelay(
  endpoint: Endpoint,
  json: unknown,
  bytes: Buffer,
  defaultModel: string | null,
  check: (asked: PassedOn) => void,
): RelayCall {
  const fields = parsed(endpoint.body, json);
  const added = fields.model ? null : defaultModel;
  const model = fields.model || (added ?? "");
  check({ model, fields, bounds: endpoint.bounds });
  const hideUsage = endpoint.asksForUsage && needsUsageOption(fields);
  const streamed = fields.stream === true || endpoint.isStreamed?.(fields) === true;
  // checked by the schema
  const asked = json as object;
  const requestFor = (renamed: string | null): RelayRequest => {
    const name = renamed ?? model;
    const adapt = (body: object, asksForUsage = hideUsage) => {
      const all = adapted(endpoint, body, name, asksForUsage);
      return renamed === null && added === null ? all : { ...all, model: name };
    };
    const passes = !streamed && adapt(asked) === asked && hasUniqueKeys(asked, bytes);
    return {
      method: "POST",
      path: endpoint.path,
      body: passes ? bytes : JSON.stringify(adapt(withExactNumbers(asked, bytes))),
      streamed,
      ...(endpoint.answersFiles && { anyBytes: "labeled" as const }),
      hideUsage,
      usageOption: usageOption(fields, name, hideUsage, () =>
        JSON.stringify(adapt(withExactNumbers(asked, bytes), false)),
      ),
      named: requestFor,
    };
  };
  return {
    model,
    expected:
      endpoint.expected?.(fields, bytes.length) ??
      expectedOfRelay(fields, bytes.length, endpoint.bounds),
    request: requestFor(null),
  };
}

const BYTE_ORDER_MARK = 0xef;

/**
 * Whether the bytes can pass unchanged, which saves half the cost of a 100 KB prompt. Of two equal
 * keys Parley reads the last and the upstream perhaps the first: another model than the one admitted,
 * or a stream without its usage.
 */
function hasUniqueKeys(json: object, bytes: Buffer): boolean {
  return bytes[0] !== BYTE_ORDER_MARK && countKeys(bytes) === Object.keys(json).length;
}

/** The client's object, field for field, with what the upstream needs changed. */
function adapted(endpoint: Endpoint, json: object, model: string, askForUsage: boolean): object {
  // a field of other dialects, which would give a credential to the upstream
  const { api_key: _credential, ...own } = json as { api_key?: unknown };
  const passed = withoutLookalikes("api_key" in json ? own : json);
  const asked = askForUsage ? askingForUsage(passed) : passed;
  return endpoint === chatEndpoint ? withTokenField(asked, model) : asked;
}

/** The usual headers, with the tightest window in OpenAI's spelling, which its clients log or obey. */
export function openaiHeaders(context: RequestContext, contentType: string): ResponseHeaders {
  const headers = responseHeaders(context, contentType);
  const [first, ...others] = context.limits?.windows ?? [];
  if (first === undefined) return headers;
  let tightest = first;
  for (const window of others) if (window.remaining < tightest.remaining) tightest = window;
  headers["x-ratelimit-limit-requests"] = String(tightest.limit);
  headers["x-ratelimit-remaining-requests"] = String(tightest.remaining);
  headers["x-ratelimit-reset-requests"] = goDuration(tightest.resetMs);
  return headers;
}

/** `12ms`, `1s`, `6m0s`, as Go prints a duration. */
function goDuration(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 1_000);
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const rest = `${seconds % 60}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}

/** Passes an answer on. Of events, a break becomes an error event and no `[DONE]`. */
export function passOn(
  outgoing: ServerResponse,
  answer: RelayAnswer,
  headers: ResponseHeaders,
  writeBreak: WriteBreak,
): Response {
  const { status, contentType } = answer;
  if (answer.kind === "whole") return sendWhole(outgoing, status, headers, answer.bytes);
  if (answer.kind === "passing") return passAnswer(outgoing, answer, headers);
  outgoing.writeHead(status, { ...headers, ...EVENT_STREAM_HEADERS, "content-type": contentType });
  outgoing.flushHeaders();
  return sentBy(outgoing, passPieces(outgoing, answer, writeBreak));
}

/** Passes a large answer on as it comes. A break breaks the connection, too: no JSON may look whole. */
export function passAnswer(
  outgoing: ServerResponse,
  { status, contentLength, pieces }: PassingAnswer,
  headers: ResponseHeaders,
): Response {
  if (contentLength !== null) headers["content-length"] = String(contentLength);
  outgoing.writeHead(status, headers);
  return sentBy(outgoing, passBytes(outgoing, pieces));
}

async function passBytes(
  outgoing: ServerResponse,
  pieces: AsyncIterable<RelayPiece>,
): Promise<void> {
  try {
    await writePieces(outgoing, pieces);
    outgoing.end();
  } catch (thrown) {
    outgoing.destroy(toProxyError(thrown));
  }
}

async function writePieces(
  outgoing: ServerResponse,
  pieces: AsyncIterable<RelayPiece>,
): Promise<void> {
  for await (const { bytes } of pieces) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(bytes)) await roomIn(outgoing);
  }
}

async function passPieces(
  outgoing: ServerResponse,
  answer: StreamedAnswer,
  writeBreak: WriteBreak,
): Promise<void> {
  try {
    await writePieces(outgoing, answer.pieces);
  } catch (thrown) {
    const error = toProxyError(thrown);
    // empty lines end an event that was cut
    if (error.code !== "canceled") outgoing.write(`\n\n${writeBreak(error, answer)}`);
  }
  outgoing.end();
}
