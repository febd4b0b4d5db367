import type { ServerHttp2Stream } from "node:http2";
import type { Metadata, ServerInterceptingCallInterface, ServerListener } from "@grpc/grpc-js";
import { ProxyError, toProxyError } from "../../../core/errors.ts";
import type { Clock } from "../../../core/ports.ts";
import type { AddressAlarm } from "../../../http/address/address-alarm.ts";
import type { ResolveClientAddress } from "../../../http/address/client-address.ts";
import type { DeskCall, NonHttpCalls } from "../../../http/call/non-http-calls.ts";
import { type Language, negotiate } from "../../../locales.ts";
import { type CallHeaders, headersOf } from "./call-headers.ts";
import { callStatus } from "./call-status.ts";
import { streamOf } from "./http2-stream.ts";
import type { DescribeStatus } from "./statuses.ts";
import { answerAtOnce, boundUpload } from "./upload.ts";

/** A question whose head has arrived and passed the limits. */
export interface Received {
  readonly desk: DeskCall;
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
  readonly desk: NonHttpCalls;
  readonly clock: Clock;
  readonly resolveClient: ResolveClientAddress;
  readonly alarm: AddressAlarm;
  readonly language: Language;
  readonly maxBodyBytes: number;
}

/** The library's own timer answers; ours, after it, is for readers that don't take the answer. */
const AFTER_DEADLINE_MS = 50;
const MAX_TIMER_MS = 2_147_483_647;

export function createReception(options: ReceptionOptions, describe: DescribeStatus): Reception {
  const found = new WeakMap<Metadata, Received>();
  return {
    receive(call) {
      const stream = streamOf(call);
      let upload: ServerListener = {};
      return {
        onReceiveMetadata(metadata, next) {
          const received = begin(call, stream, metadata, options, describe);
          const { desk, tell } = received;
          const refuse = (error: ProxyError) => answerAtOnce(call, stream, tell(error));
          try {
            desk.admit(0);
          } catch (thrown) {
            refuse(toProxyError(thrown));
            return;
          }
          const onSlow = () => desk.hold(options.maxBodyBytes);
          upload = boundUpload(stream, { onSlow, refuse });
          found.set(metadata, received);
          next(metadata);
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
  call: ServerInterceptingCallInterface,
  stream: ServerHttp2Stream,
  metadata: Metadata,
  { desk, clock, resolveClient, alarm, language }: ReceptionOptions,
  describe: DescribeStatus,
): Received {
  const headers = headersOf(metadata);
  const client = resolveClient(call.getConnectionInfo().remoteAddress, headers);
  alarm.observe(client);
  const one = desk.begin({
    client,
    language: negotiate(headers["accept-language"], language),
    route: "ask grpc",
    method: "GRPC",
  });
  let told: ProxyError | null = null;
  const leftMs = Number(call.getDeadline()) - clock.wallMs() + AFTER_DEADLINE_MS;
  const deadline = leftMs < MAX_TIMER_MS ? setTimeout(() => one.cancel(), leftMs).unref() : null;
  stream.once("close", () => {
    if (deadline !== null) clearTimeout(deadline);
    one.cancel();
    // a call canceled by this settles in the same turn, and its record belongs into the end
    setImmediate(() => one.end(callStatus(stream, told)));
  });
  return {
    desk: one,
    headers,
    stream,
    tell(error) {
      told = error;
      return describe(one.context, error);
    },
  };
}
