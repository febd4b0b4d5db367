import type { ServerResponse } from "node:http";
import { type ProxyError, toProxyError } from "../../core/errors.ts";
import type { RelayAnswer, RelayPiece } from "../../core/ports.ts";
import { EVENT_STREAM_HEADERS, roomIn, sentBy } from "../../http/reply/event-stream.ts";
import type { ResponseHeaders } from "../../http/reply/response-headers.ts";
import { sendWhole } from "../../http/reply/send-whole.ts";

/** The upstream's events as they come; a break becomes an error event and no `[DONE]`. */
export function passStream(
  outgoing: ServerResponse,
  answer: RelayAnswer,
  headers: ResponseHeaders,
  describeError: (error: ProxyError) => string,
): Response {
  const { status, contentType } = answer;
  if (answer.kind === "whole") return sendWhole(outgoing, status, headers, answer.bytes);
  outgoing.writeHead(status, { ...headers, ...EVENT_STREAM_HEADERS, "content-type": contentType });
  outgoing.flushHeaders();
  return sentBy(outgoing, pass(outgoing, answer.pieces, describeError));
}

async function pass(
  outgoing: ServerResponse,
  pieces: AsyncIterable<RelayPiece>,
  describeError: (error: ProxyError) => string,
): Promise<void> {
  try {
    for await (const { bytes } of pieces) {
      if (outgoing.destroyed) return;
      if (!outgoing.write(bytes)) await roomIn(outgoing);
    }
  } catch (thrown) {
    const error = toProxyError(thrown);
    if (error.code !== "canceled") outgoing.write(`\n\ndata: ${describeError(error)}\n\n`);
  }
  outgoing.end();
}
