import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Turn, TurnEvent } from "../../core/conversations/turn.ts";
import { ProxyError, toProxyError } from "../../core/errors.ts";
import { wellFormedJson } from "../../core/well-formed.ts";
import type { AppContext } from "../call/request-context.ts";
import { type ResponseHeaders, responseHeaders } from "./response-headers.ts";

/** Proxies close a silent connection after 60 (nginx) or 100 s (Cloudflare). */
const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for this long is cut off, even if its socket is open. */
export const STALLED_READER_MS = 60_000;

/** Server-sent events, written straight to the socket: a web stream costs three times as much. */
export interface EventStream {
  /** Resolves when there is room for more; rejects `canceled` when the reader has left. */
  send(data: string): Promise<void> | undefined;
  /** The last event. There is nothing to wait for after it. */
  sendLast(data: string): void;
  end(): void;
}

/** Keep proxies from buffering events, whatever their settings. */
export const EVENT_STREAM_HEADERS: Readonly<ResponseHeaders> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

/** Tells node-server that the response was written to the socket. */
export const ALREADY_SENT = RESPONSE_ALREADY_SENT as Response;

/**
 * Sends each text as an event and `[DONE]` after the last. If the stream breaks, its last event is
 * the failure in the dialect's form, without `[DONE]`.
 */
export function streamEvents(
  c: AppContext,
  texts: AsyncIterable<string>,
  describeFailure: (error: ProxyError) => string,
): Response {
  const { outgoing, context } = c.env;
  const stream = openEventStream(outgoing, responseHeaders(context, ""));
  return sentBy(outgoing, sendAll(stream, texts, describeFailure));
}

/**
 * Returns while the response is still being written. Nothing awaits the end, so the objects of the
 * request can be collected (2 KiB per open stream). An unexpected error drops the connection.
 */
export function sentBy(outgoing: ServerResponse, writing: Promise<void>): Response {
  writing.catch(() => outgoing.destroy());
  return ALREADY_SENT;
}

/** A turn as texts: each piece as `{"delta"}`, then the whole turn with `"done": true`. */
export async function* writeTurnEvents(
  events: AsyncIterable<TurnEvent>,
  writeTurn: (turn: Turn) => object,
): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type === "text-delta") yield JSON.stringify({ delta: event.text });
    if (event.type === "turn-end") yield wellFormedJson({ ...writeTurn(event.turn), done: true });
  }
}

async function sendAll(
  stream: EventStream,
  texts: AsyncIterable<string>,
  describeFailure: (error: ProxyError) => string,
): Promise<void> {
  try {
    for await (const text of texts) await stream.send(text);
    await stream.send("[DONE]");
  } catch (thrown) {
    const error = toProxyError(thrown);
    // not awaited: a reader that stopped reading is cut off by its own deadline
    if (error.code !== "canceled") stream.sendLast(describeFailure(error));
  }
  stream.end();
}

export function openEventStream(outgoing: ServerResponse, headers: ResponseHeaders): EventStream {
  outgoing.writeHead(200, { ...headers, ...EVENT_STREAM_HEADERS });
  outgoing.flushHeaders();
  const heartbeat = setInterval(() => {
    if (!outgoing.writableNeedDrain) outgoing.write(": ping\n\n");
  }, HEARTBEAT_MS);
  heartbeat.unref();
  outgoing.once("close", () => clearInterval(heartbeat));

  return {
    send(data) {
      if (outgoing.destroyed) return Promise.reject(new ProxyError("canceled"));
      heartbeat.refresh();
      return outgoing.write(`data: ${data}\n\n`) ? undefined : roomIn(outgoing);
    },
    sendLast(data) {
      outgoing.write(`data: ${data}\n\n`);
    },
    end() {
      outgoing.end();
    },
  };
}

/** Back-pressure: resolves once the socket has room; rejects `canceled` when it closes. */
export function roomIn(outgoing: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void) => {
      clearTimeout(stalled);
      outgoing.off("drain", onDrain);
      outgoing.off("close", onClose);
      done();
    };
    const onDrain = () => settle(resolve);
    const onClose = () => settle(() => reject(new ProxyError("canceled")));
    const stalled = setTimeout(() => outgoing.destroy(), STALLED_READER_MS);
    stalled.unref();
    outgoing.once("drain", onDrain);
    outgoing.once("close", onClose);
  });
}
