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

/** Before each message: whether it is packed, and its length. */
const HEAD_BYTES = 5;

/**
 * Bounds an upload: one message, complete within a time. The library would make objects of everything
 * that came with it, sixty times as large, and keep them until the client ends the stream.
 */
export function boundUpload(
  stream: ServerHttp2Stream,
  { onArrived, refuse }: UploadOptions,
): ServerListener {
  let head = Buffer.alloc(0);
  let bytes = 0;
  // the library's own, which gets no more than the one message
  const readers = stream.listeners("data");
  for (const reader of readers) stream.off("data", reader as () => void);
  const end = () => {
    clearTimeout(late);
    stream.off("data", take);
  };
  const refused = (thrown: unknown) => {
    end();
    refuse(toProxyError(thrown));
  };
  const take = (chunk: Buffer) => {
    if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES)]);
    bytes += chunk.length;
    try {
      onArrived(bytes);
    } catch (thrown) {
      refused(thrown);
      return;
    }
    if (bytes > lengthIn(head)) refused(new ProxyError("bad_request"));
    else for (const reader of readers) Reflect.apply(reader, stream, [chunk]);
  };
  // the library has paused it until it reads
  stream.on("data", take);
  const late = setTimeout(() => refused(new ProxyError("body_incomplete")), MAX_UPLOAD_MS);
  stream.once("close", end);
  return {
    onReceiveHalfClose(next) {
      end();
      next();
    },
  };
}

/** Of a message with its head, as far as that has come. */
function lengthIn(head: Buffer): number {
  return head.length < HEAD_BYTES ? HEAD_BYTES : HEAD_BYTES + head.readUInt32BE(1);
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
  const timer = setTimeout(() => {
    stream.close(constants.NGHTTP2_NO_ERROR);
    // else it waits for somebody to read what has come
    stream.destroy();
  }, RESET_AFTER_MS);
  stream.once("close", () => clearTimeout(timer));
}
