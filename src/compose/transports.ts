import type { Server } from "node:http";
import type { Config } from "../config/settings.ts";
import type { Clock } from "../core/ports.ts";
import type { TreeDialogue } from "../dialects/ask/questions.ts";
import { type AskWebSocket, createAskWebSocket } from "../dialects/ask/websocket/endpoint.ts";
import { createApp } from "../http/app.ts";
import type { Dialect, WriteError } from "../http/dialect.ts";
import type { ListenerAt } from "../http/listener.ts";
import {
  createHttpServer,
  createListener,
  createMetricsServer,
  type HttpServer,
} from "../http/server.ts";
import { defaultLanguage, type Translate } from "../locales.ts";
import type { Calls } from "./calls.ts";
import { modelRules } from "./dialects.ts";
import type { LimitStores } from "./limits.ts";

export interface TransportNeeds {
  readonly clock: Clock;
  readonly limits: LimitStores;
  readonly calls: Calls;
  readonly dialects: readonly Dialect[];
  readonly questions: TreeDialogue;
  readonly translate: Translate;
  readonly writeError: WriteError;
}

/** All ports: HTTP with WebSocket, and those that settings add. */
export interface Transports {
  readonly server: HttpServer;
  /** Serves metrics alone, if they have a port of their own. */
  readonly metricsServer: Server | null;
  /** Other ports for calls, each with the number that is set for it. */
  readonly listeners: readonly ListenerAt[];
  readonly webSocket: AskWebSocket;
}

export async function composeTransports(
  config: Config,
  needs: TransportNeeds,
): Promise<Transports> {
  const { translate } = needs;
  const { calls, gate, report, metrics } = needs.calls;
  const fetch = createApp({
    dialects: needs.dialects,
    calls,
    gate,
    writeUnknown: needs.writeError,
    report,
  });
  const webSocket = composeWebSocket(config, needs);
  const unreadable = createUnreadable(config, translate);
  const { MAX_BODY_BYTES: maxBodyBytes, MAX_UPLOAD_BYTES: maxUploadBytes } = config;
  const { METRICS_PORT, WS_PORT } = config;
  const listeners = await composeGrpc(config, needs);
  if (WS_PORT !== null) {
    // older WebSocket clients connect to any path
    const server = createHttpServer({
      maxBodyBytes,
      unreadable,
      fetch: (_request, { incoming }) => webSocket.refusePlain(incoming),
      upgrades: { matches: () => true, take: webSocket.take },
    });
    listeners.push({ listener: createListener("websocket", server), port: WS_PORT });
  }
  return {
    server: createHttpServer({
      maxBodyBytes,
      maxUploadBytes,
      unreadable,
      fetch,
      upgrades: webSocket,
    }),
    metricsServer: METRICS_PORT === null ? null : createMetricsServer(metrics),
    listeners,
    webSocket,
  };
}

/** gRPC is loaded only if a port is set for it. */
async function composeGrpc(config: Config, needs: TransportNeeds): Promise<ListenerAt[]> {
  const { GRPC_PORT: port, GRPC_TLS_CERT: certPath, GRPC_TLS_KEY: keyPath } = config;
  if (port === null) return [];
  const { createGrpcListener } = await import("../dialects/ask/grpc/listener.ts");
  const { clock, questions, translate } = needs;
  const { calls, identify, report } = needs.calls;
  const listener = createGrpcListener({
    clock,
    calls,
    identify,
    questions,
    rules: modelRules(config),
    maxBodyBytes: config.MAX_BODY_BYTES,
    tls: certPath === "" ? null : { certPath, keyPath },
    translate,
    report,
  });
  return [{ listener, port }];
}

function composeWebSocket(config: Config, needs: TransportNeeds): AskWebSocket {
  const { clock, limits, questions, translate } = needs;
  const { calls, identify, report } = needs.calls;
  return createAskWebSocket({
    clock,
    calls,
    identify,
    questions,
    rules: modelRules(config),
    maxMessageBytes: config.MAX_BODY_BYTES,
    origins: config.WS_ORIGINS,
    connectionLimit: config.WS_CONNECTIONS,
    connections: limits.connections,
    allConnections: limits.allConnections,
    idleMs: config.WS_IDLE_SECONDS * 1_000,
    translate,
    report,
  });
}

/** Before a request is read there is no client to ask for a language. */
function createUnreadable(config: Config, translate: Translate): (code: number) => string {
  const language = defaultLanguage(config.LANG);
  return (code) => {
    const data = { response: translate(language, "error.bad_request"), error: "bad_request" };
    return JSON.stringify({ code, msg: translate(language, "failed"), data });
  };
}
