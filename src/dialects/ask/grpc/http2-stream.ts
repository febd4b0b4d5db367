import type { ServerHttp2Stream } from "node:http2";
import { Duplex } from "node:stream";
import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";
import { ProxyError } from "../../../core/errors.ts";

/**
 * The library has no way to reset one stream, only to close its whole connection with all others; nor
 * does it say with which status a stream was closed. Its own call, which is what the first interceptor
 * is given, has the stream.
 */
export function streamOf(call: ServerInterceptingCallInterface): ServerHttp2Stream {
  const stream: unknown = Reflect.get(call, "stream");
  if (!(stream instanceof Duplex)) throw new ProxyError("internal");
  return stream as ServerHttp2Stream; // the class itself isn't exported by node:http2
}
