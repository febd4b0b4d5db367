import type { ServerHttp2Stream } from "node:http2";
import { status } from "@grpc/grpc-js";
import type { ProxyError } from "../../../core/errors.ts";
import { httpStatus } from "../../../http/reply/http-status.ts";

/** Statuses that the library answers with by itself, and what HTTP would call them. */
const OF_THE_LIBRARY: Readonly<Record<number, number>> = {
  [status.RESOURCE_EXHAUSTED]: httpStatus.body_too_large,
  [status.DEADLINE_EXCEEDED]: httpStatus.upstream_timeout,
  [status.UNIMPLEMENTED]: httpStatus.bad_request,
  [status.INTERNAL]: httpStatus.bad_request,
};

/** How a stream that is closed now has ended, as HTTP would have it; for logs and metrics. */
export function callStatus(stream: ServerHttp2Stream, told: ProxyError | null): number {
  // without an answer that has begun, the head is all there is
  const { sentTrailers, sentHeaders } = stream;
  const sent = sentTrailers?.["grpc-status"] ?? sentHeaders?.["grpc-status"];
  if (sent === undefined) return httpStatus.canceled;
  if (Number(sent) === status.OK) return 200;
  if (told !== null) return httpStatus[told.code];
  return OF_THE_LIBRARY[Number(sent)] ?? httpStatus.internal;
}
