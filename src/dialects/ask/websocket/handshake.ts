import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { WebSocket, WebSocketServer } from "ws";
import { ProxyError } from "../../../core/errors.ts";
import { ACCOUNT_HEADERS } from "../../../http/call/credentials.ts";
import { SUBPROTOCOL } from "./json-frames.ts";

/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
/** The one version of RFC 6455. */
export const VERSION = "13";

/** Throws what is wrong with a handshake. Without this check, `ws` would refuse it in HTML. */
export function checkHandshake({ headers }: IncomingMessage): void {
  if (headers["sec-websocket-version"] !== VERSION) throw new ProxyError("upgrade_needed");
  if (!KEY.test(headers["sec-websocket-key"] ?? "")) throw new ProxyError("bad_request");
}

const CREDENTIAL_HEADERS = [
  "authorization",
  "api-key",
  "openai-token",
  "access-token",
  ...ACCOUNT_HEADERS,
] as const;

/** The headers that may carry a credential. The others are not kept while the connection is open. */
export function credentialsOf(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(CREDENTIAL_HEADERS.map((name) => [name, headers[name]]));
}

/** In WS_ORIGINS: every page may connect. */
const ANY_ORIGIN = "*";

/**
 * Browsers let every page connect to any host by WebSocket, without CORS, and name the page in Origin.
 * Allowed are programs (no Origin), pages of the same host on any port, and the origins in `listed`.
 */
export function createOriginRule(
  listed: readonly string[],
): (headers: IncomingHttpHeaders) => boolean {
  // as browsers spell it: no usual port, no letters but ASCII; schemes of apps have no origin
  const normalize = (listed: string) => {
    const origin = URL.parse(listed)?.origin ?? "null";
    return origin === "null" ? listed.toLowerCase().replace(/\/$/, "") : origin;
  };
  const hostname = (url: string) => URL.parse(url)?.hostname || null;
  const allowed = new Set(listed.map(normalize));
  return ({ origin, host }) => {
    if (origin === undefined || allowed.has(ANY_ORIGIN)) return true;
    // an opaque origin ("null") is shared by all sandboxed pages, so it can't be listed
    const page = hostname(origin);
    if (page === null) return false;
    return allowed.has(normalize(origin)) || page === hostname(`http://${host ?? ""}`);
  };
}

/** Time for the client to answer our close frame; then the socket is dropped. */
const CLOSE_TIMEOUT_MS = 2_000;

/** The parts of a handshake that `ws` needs. */
export interface Handshake {
  readonly incoming: IncomingMessage;
  readonly socket: Socket;
  /** Bytes that the client sent after its request. */
  readonly head: Buffer;
  readonly requestId: string;
}

/**
 * Turns a socket into a WebSocket. `onOpen` is called before anything is read from it, or never if
 * the client has left. Rejects `bad_request` if the handshake is malformed.
 */
export type Upgrade = (handshake: Handshake, onOpen: (ws: WebSocket) => void) => Promise<void>;

/** `ws` is loaded with the first handshake: a server without WebSocket clients starts without it. */
export function createUpgrade(maxPayload: number): Upgrade {
  let loading: Promise<WebSocketServer> | null = null;
  return async ({ incoming, socket, head, requestId }, onOpen) => {
    loading ??= load(maxPayload);
    const server = await loading;
    const addId = (lines: string[]) => lines.push(`x-request-id: ${requestId}`);
    server.on("headers", addId);
    try {
      server.handleUpgrade(incoming, socket, head, onOpen);
    } finally {
      server.off("headers", addId);
    }
  };
}

async function load(maxPayload: number): Promise<WebSocketServer> {
  const { WebSocketServer } = await import("ws");
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload,
    maxPendingAutoPongs: 0, // the limit of control frames bounds pings, with its own close reason
    closeTimeout: CLOSE_TIMEOUT_MS, // this and the option before are missing in the package's types
    handleProtocols: (offered: Set<string>) => offered.has(SUBPROTOCOL) && SUBPROTOCOL,
  };
  const server = new WebSocketServer(options);
  // thrown through handleUpgrade to its caller; without a listener, `ws` would respond in HTML
  server.on("wsClientError", (cause) => {
    throw new ProxyError("bad_request", { cause });
  });
  return server;
}
