import type { ServerResponse } from "node:http";
import { type ProxyError, toProxyError } from "../../core/errors.ts";
import type {
  PassingAnswer,
  RelayAnswer,
  RelayPiece,
  StreamedAnswer,
} from "../../core/upstream-ports.ts";
import { EVENT_STREAM_HEADERS, roomIn, sentBy } from "./event-stream.ts";
import { sendWhole } from "./json-response.ts";
import type { ResponseHeaders } from "./response-headers.ts";

/** The last event of a stream that broke, in the form of its endpoint. */
export type WriteBreak = (error: ProxyError, answer: RelayAnswer) => string;

/** Passes an answer on. Of events, a break becomes an error event, and no last event. */
export function passOn(
  outgoing: ServerResponse,
  answer: RelayAnswer,
  headers: ResponseHeaders,
  writeBreak: WriteBreak,
): Response {
  const { status, contentType } = answer;
  if (answer.kind === "whole") return sendWhole(outgoing, status, headers, answer.bytes);
  if (answer.kind === "passing") return passAnswer(outgoing, answer, headers);
  outgoing.writeHead(status, { ...headers, ...EVENT_STREAM_HEADERS, "content-type": contentType });
  outgoing.flushHeaders();
  return sentBy(outgoing, passPieces(outgoing, answer, writeBreak));
}

/** Passes a large answer on as it comes. A break breaks the connection, too: no JSON may look whole. */
export function passAnswer(
  outgoing: ServerResponse,
  { status, contentLength, pieces }: PassingAnswer,
  headers: ResponseHeaders,
): Response {
  if (contentLength !== null) headers["content-length"] = String(contentLength);
  outgoing.writeHead(status, headers);
  return sentBy(outgoing, passBytes(outgoing, pieces));
}

async function passBytes(
  outgoing: ServerResponse,
  pieces: AsyncIterable<RelayPiece>,
): Promise<void> {
  try {
    await writePieces(outgoing, pieces);
    outgoing.end();
  } catch (thrown) {
    outgoing.destroy(toProxyError(thrown));
  }
}

async function writePieces(
  outgoing: ServerResponse,
  pieces: AsyncIterable<RelayPiece>,
): Promise<void> {
  for await (const { bytes } of pieces) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(bytes)) await roomIn(outgoing);
  }
}

async function passPieces(
  outgoing: ServerResponse,
  answer: StreamedAnswer,
  writeBreak: WriteBreak,
): Promise<void> {
  try {
    await writePieces(outgoing, answer.pieces);
  } catch (thrown) {
    const error = toProxyError(thrown);
    // empty lines end an event that was cut
    if (error.code !== "canceled") outgoing.write(`\n\n${writeBreak(error, answer)}`);
  }
  outgoing.end();
}
