import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { WebSocket, WebSocketServer } from "ws";
import { ProxyError } from "../../../core/errors.ts";
import { SUBPROTOCOL } from "./json-frames.ts";

/** For the other side to answer our goodbye; then the socket is dropped. */
const CLOSE_TIMEOUT_MS = 2_000;

/** A handshake to be completed. */
export interface Handshake {
  readonly incoming: IncomingMessage;
  readonly socket: Socket;
  /** What the client sent behind its request. */
  readonly head: Buffer;
  readonly requestId: string;
}

/**
 * Makes a connection of a socket. `onOpen` is called before anything is read from it, or never when
 * the client has left. Rejects `bad_request` when the handshake is none.
 */
export type Upgrade = (handshake: Handshake, onOpen: (ws: WebSocket) => void) => Promise<void>;

/** `ws` is loaded with the first handshake: a server that meets none starts without it. */
export function createUpgrade(maxPayload: number): Upgrade {
  let loading: Promise<WebSocketServer> | null = null;
  return async (handshake, onOpen) => {
    loading ??= load(maxPayload);
    const server = await loading;
    const { incoming, socket, head, requestId } = handshake;
    const name = (lines: string[]) => lines.push(`x-request-id: ${requestId}`);
    server.on("headers", name);
    try {
      server.handleUpgrade(incoming, socket, head, onOpen);
    } finally {
      server.off("headers", name);
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
    maxPendingAutoPongs: 0, // pings are counted with other frames that ask nothing, and told so
    closeTimeout: CLOSE_TIMEOUT_MS, // newer, like the one before, than the package's types
    handleProtocols: (offered: Set<string>) => offered.has(SUBPROTOCOL) && SUBPROTOCOL,
  };
  const server = new WebSocketServer(options);
  // thrown through handleUpgrade to whoever called it; without a listener `ws` would answer in HTML
  server.on("wsClientError", (cause) => {
    throw new ProxyError("bad_request", { cause });
  });
  return server;
}
