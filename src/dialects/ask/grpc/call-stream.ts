import { constants, type ServerHttp2Stream } from "node:http2";
import { Duplex } from "node:stream";
import type { ServerInterceptingCallInterface, ServerListener, StatusObject } from "@grpc/grpc-js";
import { ProxyError, toProxyError } from "../../../core/errors.ts";

/**
 * The HTTP/2 stream of a call, as the first interceptor gets it. The library can't reset a single
 * stream, only a whole connection, and does not say with which status a stream was closed.
 */
export function streamOf(call: ServerInterceptingCallInterface): ServerHttp2Stream {
  const stream: unknown = Reflect.get(call, "stream");
  if (!(stream instanceof Duplex)) throw new ProxyError("internal");
  return stream as ServerHttp2Stream; // node:http2 does not export the class itself
}

const MAX_UPLOAD_MS = 30_000;

export interface UploadOptions {
  /** Called with what has arrived so far. Throws if there is no room for it. */
  readonly onArrived: (bytes: number) => void;
  readonly refuse: (error: ProxyError) => void;
}

/**
 * Bounds an upload: one message, complete within a time. The library would buffer everything that
 * came with it, until the client ends the stream.
 */
export function boundUpload(
  stream: ServerHttp2Stream,
  { onArrived, refuse }: UploadOptions,
): ServerListener {
  let messages = 0;
  let bytes = 0;
  const end = () => {
    clearTimeout(late);
    stream.off("data", count);
  };
  const refused = (thrown: unknown) => {
    end();
    refuse(toProxyError(thrown));
  };
  // the library reads the stream, too, and has paused it until then
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    try {
      onArrived(bytes);
    } catch (thrown) {
      refused(thrown);
    }
  };
  stream.on("data", count);
  const late = setTimeout(() => refused(new ProxyError("body_incomplete")), MAX_UPLOAD_MS);
  stream.once("close", end);
  return {
    onReceiveMessage(message, next) {
      messages += 1;
      if (messages === 1) next(message);
      else refused(new ProxyError("bad_request"));
    },
    onReceiveHalfClose(next) {
      end();
      next();
    },
  };
}

/** A reset overtakes what was sent just before it. */
const RESET_AFTER_MS = 200;

/** Ends a call without reading the rest of its request. */
export function endAtOnce(
  call: ServerInterceptingCallInterface,
  stream: ServerHttp2Stream,
  status: StatusObject,
): void {
  call.sendStatus(status);
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), RESET_AFTER_MS);
  stream.once("close", () => clearTimeout(timer));
}
