import type { ServerResponse } from "node:http";
import { type ProxyError, toProxyError } from "../../core/errors.ts";
import type { RelayAnswer, RelayPiece } from "../../core/ports.ts";
import type { AnswerHeaders } from "../edge/answer-headers.ts";
import { ALREADY_SENT, EVENT_STREAM_HEADERS, roomIn } from "../edge/event-stream.ts";
import { sendWhole } from "../edge/send-whole.ts";

/** The upstream's events as they come; a break becomes an error event and no `[DONE]`. */
export async function passStream(
  outgoing: ServerResponse,
  answer: RelayAnswer,
  headers: AnswerHeaders,
  describeError: (error: ProxyError) => string,
): Promise<Response> {
  const { status, contentType } = answer;
  if (answer.kind === "whole") return sendWhole(outgoing, status, headers, answer.bytes);
  outgoing.writeHead(status, { ...headers, ...EVENT_STREAM_HEADERS, "content-type": contentType });
  outgoing.flushHeaders();
  try {
    await write(outgoing, answer.pieces);
  } catch (thrown) {
    const error = toProxyError(thrown);
    if (error.code !== "canceled") outgoing.write(`\n\ndata: ${describeError(error)}\n\n`);
  }
  outgoing.end();
  return ALREADY_SENT;
}

async function write(outgoing: ServerResponse, pieces: AsyncIterable<RelayPiece>): Promise<void> {
  for await (const { bytes } of pieces) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(bytes)) await roomIn(outgoing);
  }
}
