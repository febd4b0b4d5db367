import { randomUUID } from "node:crypto";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { isForm } from "./body/upload.ts";
import { closePort } from "./close-port.ts";
import type { Listener } from "./listener.ts";

/** Node's default waits five minutes for a body. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const TIMEOUT_CHECK_MS = 1_000;
/** Must be longer than a proxy keeps its side open (nginx: 60 s), or calls meet a closed socket. */
const KEEP_ALIVE_MS = 75_000;
/** Used if HTTP/1.0 sends no Host. Nothing depends on it. */
const NO_HOST = "localhost";

export interface HttpServerOptions {
  readonly fetch: (
    request: Request,
    http: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse },
  ) => Promise<Response> | Response;
  readonly maxBodyBytes: number;
  /** The same for forms with files. Left out: the server takes none. */
  readonly maxUploadBytes?: number;
  /** The response body if the request can't be parsed (400, 408, 431). */
  readonly unreadable: (status: number) => string;
  readonly upgrades: Upgrades;
}

/** WebSocket handshakes. Upgrades to other protocols are handled as plain requests. */
export interface Upgrades {
  /** False: the request is handled as if it had no Upgrade header. */
  matches(incoming: IncomingMessage): boolean;
  take(incoming: IncomingMessage, socket: Socket, head: Buffer): void;
}

/** Node's server, which can leave its clients. */
export interface HttpServer extends Server {
  /** From now on, responses ask for the end of their connection. */
  retire(): void;
  /** Takes no new connections. Those without a request end now, others with their response. */
  closePort(): Promise<void>;
}

/** Node's server with limits on how slow and how malformed a client may be. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { maxBodyBytes, maxUploadBytes = 0, unreadable, upgrades } = options;
  /** The newest response of each connection. Those before it are written first. */
  const latest = new WeakMap<Socket, ServerResponse>();
  const listener = createRequestListener(options, latest);
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Node's own refusal has no body
      requireHostHeader: false,
      // Node leaves a socket open for ever if nobody takes its upgrade. A response still pending on
      // the connection would be written between the frames.
      shouldUpgradeCallback: (incoming) =>
        isHandshake(incoming) &&
        latest.get(incoming.socket)?.writableFinished !== false &&
        upgrades.matches(incoming),
    },
    listener,
  );
  // don't ask for a body that will be refused
  server.on("checkContinue", (incoming: IncomingMessage, outgoing) => {
    const { "content-length": announced = 0, "content-type": type } = incoming.headers;
    const maxBytes = isForm(type) ? maxUploadBytes : maxBodyBytes;
    if (Number(announced) <= maxBytes) outgoing.writeContinue();
    listener(incoming, outgoing);
  });
  // other expectations may be ignored (RFC 9110, 10.1.1); Node would refuse them without a body
  server.on("checkExpectation", listener);
  server.on("upgrade", (incoming: IncomingMessage, _socket, head) => {
    upgrades.take(incoming, incoming.socket, head);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!socket.writable || isBeingWritten(latest.get(socket))) {
      socket.destroy();
      return;
    }
    const status = statusOf(error.code);
    const headers = { connection: "close", ...unreadableHeaders() };
    writeResponse(socket, status, headers, unreadable(status), () => socket.destroy());
  });
  return Object.assign(server, createLeave(server, latest));
}

/** A client must not send its next call to a server that is gone. */
function createLeave(
  server: Server,
  latest: WeakMap<Socket, ServerResponse>,
): Pick<HttpServer, "retire" | "closePort"> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const open = () => [...sockets].map((socket) => ({ socket, outgoing: latest.get(socket) }));
  const closeAfter = (outgoing: ServerResponse | undefined) => {
    if (outgoing?.headersSent === false) outgoing.shouldKeepAlive = false;
  };
  return {
    retire() {
      for (const event of ["request", "checkContinue", "checkExpectation"]) {
        server.prependListener(event, (_incoming, outgoing) => closeAfter(outgoing));
      }
      for (const { outgoing } of open()) closeAfter(outgoing);
    },
    async closePort() {
      await closePort(server);
      // not earlier: the proxy may use the connection before it sees its end
      for (const { socket, outgoing } of open()) {
        if (outgoing?.writableFinished === false) {
          outgoing.once("finish", () => socket.destroySoon());
        }
      }
    },
  };
}

function createRequestListener(
  { fetch, unreadable }: HttpServerOptions,
  latest: WeakMap<Socket, ServerResponse>,
): RequestListener {
  const handle = getRequestListener(fetch as never, {
    hostname: NO_HOST,
    errorHandler: () =>
      new Response(unreadable(400), { status: 400, headers: unreadableHeaders() }),
  });
  return (incoming, outgoing) => {
    latest.set(incoming.socket, outgoing);
    // a client that asked for a WebSocket can't use the connection for anything else
    if (isWebSocketRequest(incoming)) outgoing.shouldKeepAlive = false;
    if (incoming.headers.host === undefined && incoming.httpVersion === "1.1") {
      const body = unreadable(400);
      const length = { "content-length": Buffer.byteLength(body), connection: "close" };
      outgoing.writeHead(400, { ...unreadableHeaders(), ...length }).end(body);
    } else {
      void handle(incoming, outgoing);
    }
  };
}

/** Whether the client asks to turn its connection into a WebSocket. */
export function isWebSocketRequest({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}

/** False for a request with a body, which would have to be read before the first frame. */
function isHandshake(incoming: IncomingMessage): boolean {
  const { method, headers } = incoming;
  const length = Number(headers["content-length"] ?? 0);
  const hasBody = length !== 0 || headers["transfer-encoding"] !== undefined;
  return method === "GET" && isWebSocketRequest(incoming) && !hasBody;
}

function statusOf(code: string | undefined): number {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return 408;
  return code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
}

/** Whether a response is in progress: an error response now would land in the middle of it. */
function isBeingWritten(outgoing: ServerResponse | undefined): boolean {
  if (outgoing === undefined || outgoing.writableFinished) return false;
  return outgoing.headersSent || outgoing.socket === null; // null: it waits behind another
}

/** Such a request has no line in the log. The id only tells one report from another. */
function unreadableHeaders() {
  return { "content-type": "application/json; charset=utf-8", "x-request-id": randomUUID() };
}

/** Writes a whole response to a socket for which Node has no ServerResponse, and ends the socket. */
export function writeResponse(
  socket: Socket,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
  onWritten?: () => void,
): void {
  const all = { ...headers, "content-length": Buffer.byteLength(body) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
  socket.end(`${head}${lines.join("")}\r\n${body}`, onWritten);
}

/** Metrics alone, on a port that is not published. */
export function createMetricsServer(metrics: {
  readonly contentType: string;
  render(): Promise<string>;
}): Server {
  return createServer(async (incoming, outgoing) => {
    const reads = incoming.method === "GET" || incoming.method === "HEAD";
    const found = reads && incoming.url === "/metrics";
    outgoing.writeHead(found ? 200 : 404, { "content-type": metrics.contentType });
    outgoing.end(found ? await metrics.render() : "");
  });
}

/** A second HTTP server as a listener. Whatever handles its calls drains them. */
export function createListener(name: string, server: HttpServer): Listener {
  return {
    name,
    listen: (host, port) => listen(server, host, port),
    retire: server.retire,
    closePort: server.closePort,
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
