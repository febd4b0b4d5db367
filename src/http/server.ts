import { randomUUID } from "node:crypto";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Listener } from "./listener.ts";

/** Node's defaults wait five minutes for a body; nobody types that slowly. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const TIMEOUT_CHECK_MS = 1_000;
/** Must be longer than a proxy keeps its side open (nginx: 60 s), or calls meet a closed socket. */
const KEEP_ALIVE_MS = 75_000;
/** Stands in for the Host that HTTP/1.0 may leave out; nothing is decided by it. */
const NO_HOST = "localhost";

export interface HttpServerOptions {
  readonly fetch: (
    request: Request,
    exchanged: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse },
  ) => Promise<Response> | Response;
  readonly maxBodyBytes: number;
  /** The body of an answer to what can't even be read as a request (400, 408, 431). */
  readonly unreadable: (status: number) => string;
  readonly upgrades: Upgrades;
}

/** Handshakes of WebSocket; those of other protocols are requests like any other. */
export interface Upgrades {
  /** What is not wanted is answered as the request it is without its Upgrade. */
  wants(incoming: IncomingMessage): boolean;
  take(incoming: IncomingMessage, socket: Socket, head: Buffer): void;
}

/** Node's server with limits on how slow and how malformed a client may be. */
export function createHttpServer(options: HttpServerOptions): Server {
  const { maxBodyBytes, unreadable, upgrades } = options;
  /** The latest answer of each connection: those before it are written first. */
  const latest = new WeakMap<Socket, ServerResponse>();
  const listener = createRequestListener(options, latest);
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Node's own refusal is empty
      requireHostHeader: false,
      // Node forgets a socket whose upgrade nobody takes: it would stay open for ever. And an answer
      // still to come on the same connection would be written into the frames.
      shouldUpgradeCallback: (incoming) =>
        isHandshake(incoming) &&
        latest.get(incoming.socket)?.writableFinished !== false &&
        upgrades.wants(incoming),
    },
    listener,
  );
  // a body that will be refused isn't asked for
  server.on("checkContinue", (incoming: IncomingMessage, outgoing) => {
    const announced = Number(incoming.headers["content-length"] ?? 0);
    if (announced <= maxBodyBytes) outgoing.writeContinue();
    listener(incoming, outgoing);
  });
  // other expectations may be passed over (RFC 9110, 10.1.1); Node would refuse them without a word
  server.on("checkExpectation", listener);
  server.on("upgrade", (incoming: IncomingMessage, _socket, head) => {
    upgrades.take(incoming, incoming.socket, head);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (isBeingWritten(latest.get(socket))) socket.destroy();
    else answerUnreadable(socket, statusOf(error.code), unreadable);
  });
  return server;
}

function createRequestListener(
  { fetch, unreadable }: HttpServerOptions,
  latest: WeakMap<Socket, ServerResponse>,
): RequestListener {
  const answerCall = getRequestListener(fetch as never, {
    hostname: NO_HOST,
    errorHandler: () =>
      new Response(unreadable(400), { status: 400, headers: unreadableHeaders() }),
  });
  return (incoming, outgoing) => {
    latest.set(incoming.socket, outgoing);
    // whoever wanted a WebSocket has no use for the connection
    if (wantsWebSocket(incoming)) outgoing.shouldKeepAlive = false;
    if (incoming.headers.host === undefined && incoming.httpVersion === "1.1") {
      const body = unreadable(400);
      const length = { "content-length": Buffer.byteLength(body), connection: "close" };
      outgoing.writeHead(400, { ...unreadableHeaders(), ...length }).end(body);
    } else {
      void answerCall(incoming, outgoing);
    }
  };
}

function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}

/** A request with a body is none: it would have to be read before the first frame. */
function isHandshake(incoming: IncomingMessage): boolean {
  const { method, headers } = incoming;
  const length = Number(headers["content-length"] ?? 0);
  const hasBody = length !== 0 || headers["transfer-encoding"] !== undefined;
  return method === "GET" && wantsWebSocket(incoming) && !hasBody;
}

/** Metrics alone, on a port that is not published. */
export function createMetricsServer(metrics: {
  readonly contentType: string;
  render(): Promise<string>;
}): Server {
  return createServer(async (incoming, outgoing) => {
    const found = incoming.method === "GET" && incoming.url === "/metrics";
    outgoing.writeHead(found ? 200 : 404, { "content-type": metrics.contentType });
    outgoing.end(found ? await metrics.render() : "");
  });
}

/** A server beside the main one. It is up to those who answer there to drain. */
export function createListener(name: string, server: Server): Listener {
  return {
    name,
    listen: (host, port) => listen(server, host, port),
    drain: () => undefined,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Resolves with the port once the server listens. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host }, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
};

function statusOf(code: string | undefined): number {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return 408;
  return code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
}

/** Then what we have to say of later bytes would land in the middle of that answer. */
function isBeingWritten(outgoing: ServerResponse | undefined): boolean {
  if (outgoing === undefined || outgoing.writableFinished) return false;
  return outgoing.headersSent || outgoing.socket === null; // null: it waits behind another
}

function answerUnreadable(socket: Socket, status: number, unreadable: (status: number) => string) {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = unreadable(status);
  const headers = { ...unreadableHeaders(), "content-length": Buffer.byteLength(body) };
  const head = [
    `HTTP/1.1 ${status} ${STATUS_TEXT[status]}`,
    "connection: close",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

/** Such a request has no line in the log; its id only tells one report from another. */
function unreadableHeaders() {
  return { "content-type": "application/json; charset=utf-8", "x-request-id": randomUUID() };
}
