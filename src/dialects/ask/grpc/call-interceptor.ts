import type { ServerHttp2Stream } from "node:http2";
import type { Metadata, ServerInterceptingCallInterface, ServerListener } from "@grpc/grpc-js";
import { ProxyError, toProxyError } from "../../../core/errors.ts";
import { whenReady } from "../../../core/maybe-promise.ts";
import type { Clock } from "../../../core/ports.ts";
import type { CallStarter, TransportCall } from "../../../http/call/begin-call.ts";
import { ACCOUNT_HEADERS } from "../../../http/call/credentials.ts";
import { boundUpload, endAtOnce, streamOf } from "./call-stream.ts";
import type { StreamContexts } from "./library-statuses.ts";
import { type DescribeStatus, endStatus } from "./statuses.ts";

/** Metadata that Parley reads, like the headers of the same names over HTTP. */
const HEADERS = [
  "accept-language",
  "access-token",
  "api-key",
  "authorization",
  "forwarded",
  "openai-token",
  "x-forwarded-for",
  ...ACCOUNT_HEADERS,
] as const;

type CallHeaders = Partial<Record<(typeof HEADERS)[number], string>>;

/** A call that has passed the limits, before its message is read. */
export interface AdmittedCall {
  readonly call: TransportCall;
  readonly headers: CallHeaders;
  readonly stream: ServerHttp2Stream;
  /** The status to send for an error, which is noted for the log. */
  failure(error: ProxyError): ReturnType<DescribeStatus>;
}

/** Applies the limits when the metadata arrives, before the message is read, as HTTP does. */
export interface CallInterceptor {
  intercept(call: ServerInterceptingCallInterface): ServerListener;
  /** The call by the metadata that its handler was given. */
  find(metadata: Metadata): AdmittedCall;
}

export interface CallInterceptorOptions {
  readonly calls: CallStarter;
  readonly clock: Clock;
  readonly contexts: StreamContexts;
}

export function createCallInterceptor(
  options: CallInterceptorOptions,
  describe: DescribeStatus,
): CallInterceptor {
  const admittedCalls = new WeakMap<Metadata, AdmittedCall>();
  return {
    intercept(grpcCall) {
      const stream = streamOf(grpcCall);
      let upload: ServerListener = {};
      return {
        onReceiveMetadata(metadata, next) {
          const begun = begin(grpcCall, stream, metadata, options, describe);
          const { call, failure } = begun;
          const refuse = (thrown: unknown) =>
            endAtOnce(grpcCall, stream, failure(toProxyError(thrown)));
          const proceed = () => {
            upload = boundUpload(stream, { onArrived: call.hold, refuse });
            admittedCalls.set(metadata, begun);
            next(metadata);
          };
          try {
            const admitting = whenReady(call.admit(0), proceed);
            if (admitting instanceof Promise) admitting.catch(refuse);
          } catch (thrown) {
            refuse(thrown);
          }
        },
        onReceiveHalfClose: (next) => upload.onReceiveHalfClose?.(next),
      };
    },
    find(metadata) {
      const admitted = admittedCalls.get(metadata);
      if (admitted === undefined) throw new ProxyError("internal");
      return admitted;
    },
  };
}

/** The library's own timer responds; ours, after it, is for readers that don't take the response. */
const AFTER_DEADLINE_MS = 50;
const MAX_TIMER_MS = 2_147_483_647;

function begin(
  grpcCall: ServerInterceptingCallInterface,
  stream: ServerHttp2Stream,
  metadata: Metadata,
  { calls, clock, contexts }: CallInterceptorOptions,
  describe: DescribeStatus,
): AdmittedCall {
  const headers = headersOf(metadata);
  const caller = calls.callerOf(grpcCall.getConnectionInfo().remoteAddress, headers);
  const call = calls.begin({ ...caller, route: "ask grpc", method: "GRPC" });
  contexts.set(stream, call.context);
  let sent: ProxyError | null = null;
  const leftMs = Number(grpcCall.getDeadline()) - clock.wallMs() + AFTER_DEADLINE_MS;
  const deadline = leftMs < MAX_TIMER_MS ? setTimeout(() => call.cancel(), leftMs).unref() : null;
  stream.once("close", () => {
    if (deadline !== null) clearTimeout(deadline);
    call.cancel();
    // a call canceled here settles in the same tick, and its record belongs to the end
    setImmediate(() => call.end(endStatus(stream, sent)));
  });
  const failure = (error: ProxyError) => {
    call.context.error = error;
    sent = error;
    return describe(call.context, error);
  };
  return { call, headers, stream, failure };
}

/** Several values of one name become a list, as in HTTP. */
function headersOf(metadata: Metadata): CallHeaders {
  const headers: CallHeaders = {};
  for (const name of HEADERS) {
    const values = metadata.get(name).filter((value) => typeof value === "string");
    if (values.length > 0) headers[name] = values.join(", ");
  }
  return headers;
}
