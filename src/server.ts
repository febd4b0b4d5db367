import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";

/** Node's defaults wait five minutes for a body; nobody types that slowly. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const TIMEOUT_CHECK_MS = 1_000;
/** Must be longer than a proxy keeps its side open (nginx: 60 s), or calls meet a closed socket. */
const KEEP_ALIVE_MS = 75_000;

export interface HttpServerOptions {
  readonly fetch: (request: Request, bindings: never) => Promise<Response> | Response;
  readonly maxBodyBytes: number;
  /** The body of an answer to what can't even be read as a request (400, 408, 431). */
  readonly unreadable: (status: number) => string;
}

/** Node's server with limits on how slow and how malformed a client may be. */
export function createHttpServer(options: HttpServerOptions): Server {
  const { fetch, maxBodyBytes, unreadable } = options;
  const listener: RequestListener = getRequestListener(fetch as never, {
    errorHandler: () => {
      const headers = { "content-type": "application/json; charset=utf-8" };
      return new Response(unreadable(400), { status: 400, headers });
    },
  });
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    listener,
  );
  // a body that will be refused isn't asked for
  server.on("checkContinue", (incoming: IncomingMessage, outgoing) => {
    const announced = Number(incoming.headers["content-length"] ?? 0);
    if (announced <= maxBodyBytes) outgoing.writeContinue();
    listener(incoming, outgoing);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    answerUnreadable(socket, statusOf(error.code), unreadable);
  });
  return server;
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

/** Resolves with the port once the server listens. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
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

function answerUnreadable(socket: Socket, status: number, unreadable: (status: number) => string) {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = unreadable(status);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_TEXT[status]}`,
    "Connection: close",
    "Content-Type: application/json; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
