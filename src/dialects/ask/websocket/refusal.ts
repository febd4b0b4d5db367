import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ProxyError } from "../../../core/errors.ts";
import type { RequestContext } from "../../../http/call/request-context.ts";
import { createDescribeFailure } from "../../../http/reply/json-response.ts";
import {
  answer,
  type ResponseHeaders,
  responseHeaders,
  retryHeaders,
} from "../../../http/reply/response-headers.ts";
import type { Translate } from "../../../locales.ts";
import { askErrorForm } from "../errors.ts";
import { VERSION } from "./handshake.ts";

const JSON_TYPE = "application/json; charset=utf-8";
/** For the refusal to arrive: a socket closed while the client still writes takes it back. */
const LINGER_MS = 1_000;

/** How handshakes are refused, in the same form as questions over HTTP. */
export interface Refusals {
  /** Writes it to the socket and sees to it that the socket goes, whatever the client does. */
  handshake(socket: Socket, error: ProxyError, context: RequestContext): void;
  response(error: ProxyError, context: RequestContext): Response;
}

export function createRefusals(translate: Translate): Refusals {
  const describe = createDescribeFailure(translate, askErrorForm);
  return {
    handshake(socket, error, context) {
      write(
        socket,
        askErrorForm.status[error.code],
        headersOf(error, context),
        describe(context, error),
      );
    },
    response: (error, context) =>
      answer(askErrorForm.status[error.code], describe(context, error), headersOf(error, context)),
  };
}

function headersOf({ code, retryAfterMs }: ProxyError, context: RequestContext): ResponseHeaders {
  const headers = responseHeaders(context, JSON_TYPE);
  if (retryAfterMs !== undefined) Object.assign(headers, retryHeaders(retryAfterMs));
  if (code === "upgrade_needed") {
    Object.assign(headers, { upgrade: "websocket", "sec-websocket-version": VERSION });
  }
  return headers;
}

function write(socket: Socket, status: number, headers: ResponseHeaders, body: string): void {
  const all = { ...headers, connection: "close", "content-length": Buffer.byteLength(body) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(linger));
  socket.resume();
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`;
  socket.end(`${head}\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
}
