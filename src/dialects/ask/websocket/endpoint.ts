import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { ProxyError, toProxyError } from "../../../core/errors.ts";
import type { Clock, ConcurrencyLimiter, Semaphore } from "../../../core/ports.ts";
import type { ModelRules } from "../../../http/body/model-choice.ts";
import { drainingError } from "../../../http/call/open-calls.ts";
import type { RequestContext } from "../../../http/call/request-context.ts";
import { httpStatus, statusOf } from "../../../http/reply/http-status.ts";
import { createFailureResponse, type FailureResponse } from "../../../http/reply/json-response.ts";
import { respond } from "../../../http/reply/response-headers.ts";
import { type Upgrades, writeResponse } from "../../../http/server.ts";
import type { Translate } from "../../../locales.ts";
import { askErrorForm } from "../errors.ts";
import { type Connection, openConnection } from "./connection.ts";
import { createConnectionLimit, createOpenConnections } from "./connections.ts";
import { createMessageBufferLimit } from "./frame-limits.ts";
import {
  checkHandshake,
  createOriginRule,
  createUpgrade,
  credentialsOf,
  VERSION,
} from "./handshake.ts";
import {
  createBeginQuestion,
  type Peer,
  type PendingQuestionOptions,
} from "./pending-questions.ts";

/** Questions over WebSocket: on a path of the main port, and on a port of its own for older clients. */
export interface AskWebSocket extends Upgrades {
  /** The response to a request that is not a handshake, on the port of its own. */
  refusePlain(incoming: IncomingMessage): Promise<Response>;
  /** Takes no new connections, and closes those without an open question. */
  drain(): void;
  /** Ends all connections; resolves when their questions are over. */
  close(): Promise<void>;
}

export interface AskWebSocketOptions extends PendingQuestionOptions {
  readonly clock: Clock;
  readonly translate: Translate;
  readonly rules: ModelRules;
  readonly maxMessageBytes: number;
  /** Pages that may connect besides those of this host. */
  readonly origins: readonly string[];
  /** Connections per client address; 0 = any number. */
  readonly connectionLimit: number;
  /** Counts them by client address, up to that limit. */
  readonly connections: ConcurrencyLimiter;
  /** Counts those of all clients together. */
  readonly allConnections: Semaphore;
  readonly idleMs: number;
}

const PATH = "/ask";
/** In the log and in metrics. */
const ROUTE = `ask GET ${PATH}`;

export function createAskWebSocket(options: AskWebSocketOptions): AskWebSocket {
  const { calls, report, connections: perBucket, allConnections, connectionLimit } = options;
  const isAllowed = createOriginRule(options.origins);
  const enter = createConnectionLimit(perBucket, allConnections, connectionLimit);
  const upgrade = createUpgrade(options.maxMessageBytes);
  const open = createOpen(options);
  const connections = createOpenConnections(options.clock);
  const refusal = createRefusal(options.translate);

  /** One handshake is one line in the log. */
  const begin = ({ socket, headers, method = "" }: IncomingMessage) => {
    const caller = calls.callerOf(socket.remoteAddress, headers);
    const call = calls.begin({ ...caller, route: ROUTE, method });
    return { call, peer: { ...caller, credentials: credentialsOf(headers) } };
  };
  const admit = (incoming: IncomingMessage, bucket: string) => {
    checkHandshake(incoming);
    if (connections.draining) throw drainingError();
    if (!isAllowed(incoming.headers)) throw new ProxyError("origin_forbidden");
    return enter(bucket);
  };
  const accept = async (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    if (socket.destroyed) return;
    const { call, peer } = begin(incoming);
    const { requestId } = call.context;
    let status: number = httpStatus.canceled;
    try {
      await call.peek();
      const leave = await admit(incoming, peer.client.bucket);
      if (socket.destroyed) leave();
      else socket.once("close", leave);
      await upgrade({ incoming, socket, head, requestId }, (ws) => {
        status = 101;
        connections.add(open(ws, socket, peer, requestId));
      });
    } catch (thrown) {
      const error = toProxyError(thrown);
      if (error.code === "internal") report(requestId, error);
      if (status === 101) socket.destroy();
      else writeRefusal(socket, refusal(call.context, error));
      status = statusOf(error);
    }
    call.end(status);
  };
  return {
    matches: ({ url }) => url?.split("?", 1)[0] === PATH,
    take: (incoming, socket, head) => void accept(incoming, socket, head),
    async refusePlain(incoming) {
      const { call } = begin(incoming);
      await call.peek();
      const { status, body, headers } = refusal(call.context, new ProxyError("upgrade_needed"));
      call.end(status);
      return respond(status, body, headers);
    },
    drain: connections.drain,
    close: connections.close,
  };
}

function createOpen(options: AskWebSocketOptions) {
  const { rules, idleMs, clock, translate, report } = options;
  const limitMessageBuffer = createMessageBufferLimit(options.maxMessageBytes);
  const reasonOf = ({ code, params }: ProxyError, { language, requestId }: RequestContext) =>
    translate(language, `error.${code}`, { ...params, requestId });
  const shared = { rules, idleMs, clock, reasonOf, limitMessageBuffer };
  return (ws: WebSocket, socket: Socket, peer: Peer, requestId: string): Connection =>
    openConnection({
      ...shared,
      ws,
      socket,
      bucket: peer.client.bucket,
      begin: createBeginQuestion(options, peer),
      report: (error) => report(requestId, error),
    });
}

/** Handshakes are refused in the same form as questions over HTTP. */
function createRefusal(translate: Translate) {
  const failureResponse = createFailureResponse(translate, askErrorForm);
  return (context: RequestContext, error: ProxyError): FailureResponse => {
    const response = failureResponse(context, error);
    if (error.code === "upgrade_needed") response.headers["sec-websocket-version"] = VERSION;
    return response;
  };
}

/** Time for a refusal to arrive: closing a socket while the client still writes discards it. */
const LINGER_MS = 1_000;

/** Drops the socket afterwards, whatever the client does. */
function writeRefusal(socket: Socket, { status, headers, body }: FailureResponse): void {
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(linger));
  socket.resume();
  writeResponse(socket, status, { ...headers, connection: "close" }, body);
}
