import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { ProxyError, toProxyError } from "../../../core/errors.ts";
import type { Clock, ConcurrencyLimiter, Limiter, Semaphore } from "../../../core/ports.ts";
import type { AddressAlarm } from "../../../http/address/address-alarm.ts";
import type { ResolveClientAddress } from "../../../http/address/client-address.ts";
import type { ModelRules } from "../../../http/body/model-choice.ts";
import type { DeskCall } from "../../../http/call/non-http-calls.ts";
import { drainingError } from "../../../http/call/open-calls.ts";
import type { RequestContext } from "../../../http/call/request-context.ts";
import { httpStatus } from "../../../http/reply/http-status.ts";
import { type Language, negotiate, type Translate } from "../../../locales.ts";
import { type Connection, openConnection } from "./connection.ts";
import { createPlaces } from "./connection-limit.ts";
import { checkHandshake, credentialsOf } from "./handshake.ts";
import { createUnfinished } from "./message-buffer-limit.ts";
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
  refusePlain(incoming: IncomingMessage): Response;
  /** From now on there are no new connections, and those without a question are closed. */
  drain(): void;
  /** Ends all connections and resolves when their questions are over. */
  close(): Promise<void>;
}

export interface AskWebSocketOptions extends AskingOptions {
  readonly clock: Clock;
  readonly limiter: Pick<Limiter, "peek">;
  readonly alarm: AddressAlarm;
  readonly resolveClient: ResolveClientAddress;
  readonly translate: Translate;
  readonly language: Language;
  readonly rules: ModelRules;
  readonly maxMessageBytes: number;
  /** Room for messages that have not ended. */
  readonly unfinishedRoom: Semaphore;
  /** Pages that may connect beside those of this host. */
  readonly origins: readonly string[];
  /** Of one client address; 0 = none. */
  readonly connectionLimit: number;
  /** Counts them by client address, up to that limit. */
  readonly connectionsOf: ConcurrencyLimiter;
  /** Of all clients together. */
  readonly connectionRoom: Semaphore;
  readonly idleMs: number;
}

const PATH = "/ask";
/** In the log and in metrics. */
const ROUTE = `ask GET ${PATH}`;

export function createAskWebSocket(options: AskWebSocketOptions): AskWebSocket {
  const { report } = options;
  const isAllowed = createOriginRule(options.origins);
  const { connectionsOf, connectionRoom, connectionLimit } = options;
  const places = createPlaces(connectionsOf, connectionRoom, connectionLimit);
  const upgrade = createUpgrade(options.maxMessageBytes);
  const open = createOpen(options);
  const refusals = createRefusals(options.translate);
  const greet = createGreeting(options);
  const connections = createOpenConnections(options.clock);

  const admit = (incoming: IncomingMessage, { client }: Peer): (() => void) => {
    checkHandshake(incoming);
    if (connections.draining) throw drainingError();
    if (!isAllowed(incoming.headers)) throw new ProxyError("origin_forbidden");
    return places.enter(client.bucket);
  };
  const accept = async (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    if (socket.destroyed) return;
    const { peer, call } = greet(incoming);
    const { requestId } = call.context;
    let status: number = httpStatus.canceled;
    try {
      socket.once("close", admit(incoming, peer));
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
    refusePlain(incoming) {
      const { call } = greet(incoming);
      const error = new ProxyError("upgrade_needed");
      call.end(httpStatus[error.code]);
      return refusals.response(error, call.context);
    },
    drain: connections.drain,
    close: connections.close,
  };
}

/** Who knocks, and the line in the log about it. */
function createGreeting(options: AskWebSocketOptions) {
  const { resolveClient, alarm, desk, limiter } = options;
  return ({ socket, headers, method = "" }: IncomingMessage): { peer: Peer; call: DeskCall } => {
    const client = resolveClient(socket.remoteAddress, headers);
    alarm.observe(client);
    const language = negotiate(headers["accept-language"], options.language);
    const call = desk.begin({ client, language, route: ROUTE, method });
    call.context.limits = limiter.peek(client.bucket);
    return { peer: { client, language, credentials: credentialsOf(headers) }, call };
  };
}

function createOpen(options: AskWebSocketOptions) {
  const { rules, idleMs, clock, translate, report } = options;
  const unfinished = createUnfinished(options.unfinishedRoom);
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
