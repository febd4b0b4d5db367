import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { ProxyError, toProxyError } from "../../../core/errors.ts";
import { type MaybePromise, whenReady } from "../../../core/maybe-promise.ts";
import type { Clock, ConcurrencyLimiter, Semaphore } from "../../../core/ports.ts";
import type { ModelRules } from "../../../http/body/model-choice.ts";
import type { TransportCall } from "../../../http/call/begin-call.ts";
import { drainingError } from "../../../http/call/open-calls.ts";
import type { RequestContext } from "../../../http/call/request-context.ts";
import { httpStatus } from "../../../http/reply/http-status.ts";
import type { Translate } from "../../../locales.ts";
import { type Connection, openConnection } from "./connection.ts";
import { createConnectionLimit } from "./connection-limit.ts";
import { checkHandshake, credentialsOf } from "./handshake.ts";
import { createUnfinished, maxUnfinishedBytes } from "./message-buffer-limit.ts";
import { createOpenConnections } from "./open-connections.ts";
import { createOriginRule } from "./origin.ts";
import { type AskingOptions, createAsking, type Peer } from "./pending-questions.ts";
import { createRefusals } from "./refusal.ts";
import { createUpgrade } from "./upgrade.ts";

/** Questions over WebSocket: on a path of the main port, and on a port of its own for older clients. */
export interface AskWebSocket {
  /** Whether this handshake on the main port is ours. */
  wants(incoming: IncomingMessage): boolean;
  /** Takes the socket of a handshake over, for good. */
  take(incoming: IncomingMessage, socket: Socket, head: Buffer): void;
  /** What requests are told that are no handshakes, where nothing else is served. */
  refusePlain(incoming: IncomingMessage): Promise<Response>;
  /** From now on there are no new connections, and those without a question are closed. */
  drain(): void;
  /** Ends all connections and resolves when their questions are over. */
  close(): Promise<void>;
}

export interface AskWebSocketOptions extends AskingOptions {
  readonly clock: Clock;
  readonly translate: Translate;
  readonly rules: ModelRules;
  readonly maxMessageBytes: number;
  /** Pages that may connect beside those of this host. */
  readonly origins: readonly string[];
  /** Of one client address; 0 = none. */
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
  const { report } = options;
  const isAllowed = createOriginRule(options.origins);
  const limit = createConnectionLimit(
    options.connections,
    options.allConnections,
    options.connectionLimit,
  );
  const upgrade = createUpgrade(options.maxMessageBytes);
  const open = createOpen(options);
  const refusals = createRefusals(options.translate);
  const greet = createGreeting(options);
  const connections = createOpenConnections(options.clock);

  const admit = (incoming: IncomingMessage, { client }: Peer): MaybePromise<() => void> => {
    checkHandshake(incoming);
    if (connections.draining) throw drainingError();
    if (!isAllowed(incoming.headers)) throw new ProxyError("origin_forbidden");
    return limit.enter(client.bucket);
  };
  const accept = async (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    if (socket.destroyed) return;
    const { peer, call } = greet(incoming);
    await call.peek();
    const { requestId } = call.context;
    let status: number = httpStatus.canceled;
    try {
      await whenReady(admit(incoming, peer), (leave) => leaveWith(socket, leave));
      await upgrade({ incoming, socket, head, requestId }, (ws) => {
        status = 101;
        connections.add(open(ws, socket, peer, requestId));
      });
    } catch (thrown) {
      const error = toProxyError(thrown);
      if (error.code === "internal") report(requestId, error);
      if (status === 101) socket.destroy();
      else refusals.handshake(socket, error, call.context);
      status = httpStatus[error.code];
    }
    call.end(status);
  };
  return {
    wants: ({ url }) => url?.split("?", 1)[0] === PATH,
    take: (incoming, socket, head) => void accept(incoming, socket, head),
    async refusePlain(incoming) {
      const { call } = greet(incoming);
      await call.peek();
      const error = new ProxyError("upgrade_needed");
      call.end(httpStatus[error.code]);
      return refusals.response(error, call.context);
    },
    drain: connections.drain,
    close: connections.close,
  };
}

function leaveWith(socket: Socket, leave: () => void): void {
  if (socket.destroyed) leave();
  else socket.once("close", leave);
}

/** Who knocks, and the line in the log about it. */
function createGreeting({ calls }: AskWebSocketOptions) {
  return ({
    socket,
    headers,
    method = "",
  }: IncomingMessage): { peer: Peer; call: TransportCall } => {
    const caller = calls.callerOf(socket.remoteAddress, headers);
    const call = calls.begin({ ...caller, route: ROUTE, method });
    return { peer: { ...caller, credentials: credentialsOf(headers) }, call };
  };
}

function createOpen(options: AskWebSocketOptions) {
  const { rules, idleMs, clock, translate, report } = options;
  const unfinished = createUnfinished(maxUnfinishedBytes(options.maxMessageBytes));
  const reasonOf = ({ code, params }: ProxyError, { language, requestId }: RequestContext) =>
    translate(language, `error.${code}`, { ...params, requestId });
  const shared = { rules, idleMs, clock, reasonOf, unfinished };
  return (ws: WebSocket, socket: Socket, peer: Peer, requestId: string): Connection =>
    openConnection({
      ...shared,
      ws,
      socket,
      begin: createAsking(options, peer),
      report: (error) => report(requestId, error),
    });
}
