import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { ProxyError, toProxyError } from "../../core/errors.ts";
import type { AppContext } from "../call/request-context.ts";
import { type ResponseHeaders, responseHeaders } from "./response-headers.ts";

/** Proxies close a silent connection after 60 (nginx) or 100 s (Cloudflare). */
const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for this long is gone, whatever its socket says. */
const STALLED_READER_MS = 60_000;

/** Server-sent events written straight to the socket: a web stream between costs three times that. */
export interface EventStream {
  /** Resolves when there is room for more; rejects `canceled` when the reader has left. */
  send(data: string): Promise<void> | undefined;
  /** An event after which nothing follows, so that there is nothing to wait for. */
  sendLast(data: string): void;
  end(): void;
}

/** Headers that keep proxies from holding events back, whatever their settings. */
export const EVENT_STREAM_HEADERS: Readonly<ResponseHeaders> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

/** node-server's mark that the socket was written to. */
export const ALREADY_SENT = RESPONSE_ALREADY_SENT as Response;

/**
 * Sends each text as an event and `[DONE]` after the last. A break becomes an event in the
 * dialect's own form and no `[DONE]`; a client that has left is told nothing.
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
 * For an answer that goes on being written: nothing waits for its end, so that all that led to it can
 * be let go of (2 KiB of a stream that is open). A mistake of ours cuts it.
 */
export function sentBy(outgoing: ServerResponse, writing: Promise<void>): Response {
  writing.catch(() => outgoing.destroy());
  return ALREADY_SENT;
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
    // not waited for: a reader that has stopped reading is cut off by its own deadline
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

/** Back-pressure: waits until the socket has taken what was written. */
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
