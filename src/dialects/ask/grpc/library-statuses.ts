import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { type Server, status } from "@grpc/grpc-js";
import { type ErrorCode, errorCodes, ProxyError } from "../../../core/errors.ts";
import type { CallStarter } from "../../../http/call/begin-call.ts";
import type { RequestContext } from "../../../http/call/request-context.ts";
import { httpStatus } from "../../../http/reply/http-status.ts";
import type { DescribeStatus } from "./statuses.ts";

export interface LibraryStatusOptions {
  readonly calls: CallStarter;
  readonly maxBodyBytes: number;
  readonly contexts: StreamContexts;
}

/** The calls that have begun, so that their failures carry the id of their line in the log. */
export type StreamContexts = WeakMap<ServerHttp2Stream, RequestContext>;

type Verify = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => boolean;

/** The library's first step with a new stream, and the only one that has its headers too. */
const FIRST_STEP = "_verifyContentType";

/**
 * Gives failures that the library sends by itself (unknown methods, large messages, deadlines) a text
 * in the caller's language, a code and an id.
 */
export function translateStatuses(
  server: Server,
  describe: DescribeStatus,
  { calls, maxBodyBytes, contexts }: LibraryStatusOptions,
): void {
  const verify: unknown = Reflect.get(server, FIRST_STEP);
  if (typeof verify !== "function") throw new ProxyError("internal");
  /** A line in the log of its own, where no call has begun. */
  const beginRefused = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    code: ErrorCode,
  ) => {
    const caller = calls.callerOf(stream.session?.socket.remoteAddress, headers);
    const call = calls.begin({ ...caller, route: "ask grpc", method: "GRPC" });
    call.end(httpStatus[code]);
    return call.context;
  };
  const watch: Verify = (stream, headers) => {
    const translated = (sent: OutgoingHttpHeaders): OutgoingHttpHeaders => {
      if (!isForeign(sent)) return sent;
      const code = codeOf(sent);
      const context = contexts.get(stream) ?? beginRefused(stream, headers, code);
      const error = new ProxyError(code, { params: { max: maxBodyBytes } });
      const { details, metadata } = describe(context, error);
      return { ...sent, "grpc-message": encodeURI(details), ...metadata.toHttp2Headers() };
    };
    const { respond, sendTrailers } = stream;
    // cast: the library never sends a list of headers
    stream.respond = (sent, more) =>
      respond.call(stream, translated({ ...(sent as OutgoingHttpHeaders) }), more);
    stream.sendTrailers = (sent) => sendTrailers.call(stream, translated(sent));
    return Reflect.apply(verify, server, [stream, headers]);
  };
  Reflect.set(server, FIRST_STEP, watch);
}

/** A failure without our id. */
function isForeign(sent: OutgoingHttpHeaders): boolean {
  const code = sent["grpc-status"];
  return code !== undefined && Number(code) !== status.OK && sent["x-request-id"] === undefined;
}

const byStatus: Readonly<Record<number, ErrorCode>> = {
  [status.RESOURCE_EXHAUSTED]: "body_too_large",
  [status.DEADLINE_EXCEEDED]: "deadline_passed",
  [status.CANCELLED]: "canceled",
  [status.UNKNOWN]: "internal",
  [status.NOT_FOUND]: "not_found",
  [status.INTERNAL]: "bad_request",
  [status.INVALID_ARGUMENT]: "bad_request",
};

function codeOf(sent: OutgoingHttpHeaders): ErrorCode {
  const given = errorCodes.find((code) => code === sent["error-code"]);
  return given ?? byStatus[Number(sent["grpc-status"])] ?? unimplemented(sent);
}

/** An unknown method, a compression that the library can't undo, or no message at all. */
function unimplemented(sent: OutgoingHttpHeaders): ErrorCode {
  const text = String(sent["grpc-message"]);
  if (text.startsWith("The server does not implement")) return "not_found";
  return text.includes("encoding") ? "content_encoding_unsupported" : "bad_request";
}
