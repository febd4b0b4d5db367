import type { ServerHttp2Stream } from "node:http2";
import type { Metadata, ServerInterceptingCallInterface, ServerListener } from "@grpc/grpc-js";
import { ProxyError, toProxyError } from "../../../core/errors.ts";
import { whenReady } from "../../../core/maybe-promise.ts";
import type { Clock } from "../../../core/ports.ts";
import type { CallStarter, TransportCall } from "../../../http/call/begin-call.ts";
import { type CallHeaders, headersOf } from "./call-headers.ts";
import { callStatus } from "./call-status.ts";
import { streamOf } from "./http2-stream.ts";
import type { DescribeStatus } from "./statuses.ts";
import { answerAtOnce, boundUpload } from "./upload.ts";

/** A question whose head has arrived and passed the limits. */
export interface Received {
  readonly call: TransportCall;
  readonly headers: CallHeaders;
  readonly stream: ServerHttp2Stream;
  /** What to send the client, noted for the log. */
  tell(error: ProxyError): ReturnType<DescribeStatus>;
}

/** Meets questions at their head, before the message is read: there the limits stand over HTTP, too. */
export interface Reception {
  receive(call: ServerInterceptingCallInterface): ServerListener;
  /** By the metadata that the handler was given. */
  find(metadata: Metadata): Received;
}

export interface ReceptionOptions {
  readonly calls: CallStarter;
  readonly clock: Clock;
  readonly maxBodyBytes: number;
}

/** The library's own timer answers; ours, after it, is for readers that don't take the answer. */
const AFTER_DEADLINE_MS = 50;
const MAX_TIMER_MS = 2_147_483_647;

export function createReception(options: ReceptionOptions, describe: DescribeStatus): Reception {
  const found = new WeakMap<Metadata, Received>();
  return {
    receive(grpcCall) {
      const stream = streamOf(grpcCall);
      let upload: ServerListener = {};
      return {
        onReceiveMetadata(metadata, next) {
          const received = begin(grpcCall, stream, metadata, options, describe);
          const { call, tell } = received;
          const refuse = (error: ProxyError) => answerAtOnce(grpcCall, stream, tell(error));
          const proceed = () => {
            const onSlow = () => call.hold(options.maxBodyBytes);
            upload = boundUpload(stream, { onSlow, refuse });
            found.set(metadata, received);
            next(metadata);
          };
          try {
            const admitting = whenReady(call.admit(0), proceed);
            if (admitting instanceof Promise) admitting.catch((e) => refuse(toProxyError(e)));
          } catch (thrown) {
            refuse(toProxyError(thrown));
          }
        },
        onReceiveMessage: (message, next) => upload.onReceiveMessage?.(message, next),
        onReceiveHalfClose: (next) => upload.onReceiveHalfClose?.(next),
      };
    },
    find(metadata) {
      const received = found.get(metadata);
      if (received === undefined) throw new ProxyError("internal");
      return received;
    },
  };
}

function begin(
  grpcCall: ServerInterceptingCallInterface,
  stream: ServerHttp2Stream,
  metadata: Metadata,
  { calls, clock }: ReceptionOptions,
  describe: DescribeStatus,
): Received {
  const headers = headersOf(metadata);
  const caller = calls.callerOf(grpcCall.getConnectionInfo().remoteAddress, headers);
  const call = calls.begin({ ...caller, route: "ask grpc", method: "GRPC" });
  let told: ProxyError | null = null;
  const leftMs = Number(grpcCall.getDeadline()) - clock.wallMs() + AFTER_DEADLINE_MS;
  const deadline = leftMs < MAX_TIMER_MS ? setTimeout(() => call.cancel(), leftMs).unref() : null;
  stream.once("close", () => {
    if (deadline !== null) clearTimeout(deadline);
    call.cancel();
    // a call canceled by this settles in the same turn, and its record belongs into the end
    setImmediate(() => call.end(callStatus(stream, told)));
  });
  return {
    call,
    headers,
    stream,
    tell(error) {
      told = error;
      return describe(call.context, error);
    },
  };
}
