import type { Server } from "node:http";
import type { Config } from "../config/settings.ts";
import { storageOptions } from "../config/storage.ts";
import { createAdmission } from "../core/call/admission.ts";
import { createDisconnectPolicy } from "../core/call/disconnect-policy.ts";
import { createKeyRing } from "../core/call/key-ring.ts";
import { createPipeline, type Pipeline } from "../core/call/pipeline.ts";
import { createDialogue } from "../core/conversations/dialogue.ts";
import { ANONYMOUS, MAX_SHARED_CONVERSATIONS, PUBLIC } from "../core/conversations/owner.ts";
import type { Clock } from "../core/ports.ts";
import type { AskWebSocket } from "../dialects/ask/websocket/endpoint.ts";
import { createApp } from "../http/app.ts";
import type { OpenCalls } from "../http/call/open-calls.ts";
import type { Dialect } from "../http/dialect.ts";
import { createGate } from "../http/gate.ts";
import type { ListenerAt } from "../http/listener.ts";
import {
  createHttpServer,
  createListener,
  createMetricsServer,
  type HttpServerOptions,
} from "../http/server.ts";
import { createTokenLimits } from "../limits/token-limits.ts";
import { describeError, type Log } from "../log.ts";
import { createTurnClaims } from "../storage/conversations/turn-claims.ts";
import { startRetention } from "../storage/ledger/retention.ts";
import { openStorage, type Storage } from "../storage/open.ts";
import type { Transport } from "../upstream/transport.ts";
import { createUpstreamTransport, upstreamsOf } from "./adapters.ts";
import { createDialects, createListeners, createWebSocket } from "./offer.ts";
import { createParts, type Parts } from "./parts.ts";

export interface Parley {
  readonly server: Server;
  /** Serves metrics alone, when they have a port of their own. */
  readonly metricsServer: Server | null;
  /** Other ports on which calls come in, with the number that is set for each. */
  readonly listeners: readonly ListenerAt[];
  readonly openCalls: OpenCalls;
  /** Everything that is served over HTTP, in the order in which paths are looked at. */
  readonly dialects: readonly Dialect[];
  /** No new connections but those of HTTP, which is told by answers; see `openCalls` for calls. */
  drain(): void;
  close(): Promise<void>;
}

export interface ComposeOptions {
  readonly clock: Clock;
  readonly log: Log;
}

/** Chooses every adapter and connects them: the one place that knows them all. */
export async function compose(config: Config, { clock, log }: ComposeOptions): Promise<Parley> {
  const storage = await openData(config, { clock, log });
  const installationSecret = await storage.installationSecret();
  const parts = createParts(config, { clock, log, storage, installationSecret });
  const { metrics, openCalls } = parts;
  const transport = createUpstreamTransport(config, clock);
  const pipeline = pipelineOf(config, parts, transport);
  const claims = createTurnClaims({
    conversations: storage.conversations,
    clock,
    onError: (error) => log.error("database", describeError(error)),
  });
  const dialogue = createDialogue({
    conversations: storage.conversations,
    claims,
    pipeline,
    contextTokens: config.CONTEXT_TOKENS === 0 ? null : config.CONTEXT_TOKENS,
    maxConversationsOf: (owner) =>
      owner === ANONYMOUS || owner === PUBLIC ? MAX_SHARED_CONVERSATIONS : undefined,
  });
  const answering = { pipeline, dialogue };
  const dialects = createDialects(config, parts, answering);
  const fetch = createApp({
    dialects,
    context: { ...parts, defaultLanguage: parts.language },
    gate: createGate(parts.limiter, metrics.decision, clock),
    writeUnknown: parts.writeError,
    report: parts.report,
  });
  const { MAX_BODY_BYTES: maxBodyBytes, METRICS_PORT, WS_PORT } = config;
  const webSocket = createWebSocket(config, parts, answering);
  const bounds = { maxBodyBytes, unreadable: createUnreadable(parts) };
  const listeners = [
    ...(await createListeners(config, parts, answering)),
    ...webSocketListeners(WS_PORT, webSocket, bounds),
  ];
  return {
    server: createHttpServer({ ...bounds, fetch, upgrades: webSocket }),
    metricsServer: METRICS_PORT !== null ? createMetricsServer(metrics) : null,
    listeners,
    openCalls,
    dialects,
    drain: () => {
      webSocket.drain();
      for (const { listener } of listeners) listener.drain();
    },
    close: async () => {
      await webSocket.close();
      await claims.end();
      await pipeline.close();
      await transport.close();
      await storage.close();
    },
  };
}

/** The port of older WebSocket clients, which connect to any path. */
function webSocketListeners(
  port: number | null,
  webSocket: AskWebSocket,
  bounds: Pick<HttpServerOptions, "maxBodyBytes" | "unreadable">,
): ListenerAt[] {
  if (port === null) return [];
  const server = createHttpServer({
    ...bounds,
    fetch: (_request, { incoming }) => webSocket.refusePlain(incoming),
    upgrades: { wants: () => true, take: webSocket.take },
  });
  return [{ listener: createListener("websocket", server), port }];
}

function pipelineOf(config: Config, parts: Parts, transport: Transport): Pipeline {
  const { storage, clock, log, metrics, concurrency, digestKey } = parts;
  return createPipeline({
    ...upstreamsOf(config, transport),
    admission: createAdmission({
      ledger: storage.ledger,
      prices: storage.prices,
      clock,
      digestKey,
      countToken: createTokenLimits(clock),
      onDisconnect: config.ON_DISCONNECT.name,
    }),
    keyRing: createKeyRing(config.API_KEY, clock),
    concurrency,
    streamLimit: config.STREAM_LIMIT,
    clock,
    retries: config.RETRIES,
    disconnectPolicy: createDisconnectPolicy(config.ON_DISCONNECT.drainMs, clock),
    observe: metrics.call,
    onLost: (record, error) => {
      log.error("ledger row not written", { record, ...describeError(error) });
    },
  });
}

/** Before a request could be read there is no client to ask for a language. */
function createUnreadable({ translate, language }: Parts): (code: number) => string {
  return (code) => {
    const data = { response: translate(language, "error.bad_request"), error: "bad_request" };
    return JSON.stringify({ code, msg: translate(language, "failed"), data });
  };
}

/** Everything that is kept; ledger rows that are too old go by themselves. */
async function openData(config: Config, { clock, log }: ComposeOptions): Promise<Storage> {
  const onError = (error: unknown) => log.error("database", describeError(error));
  const storage = await openStorage(storageOptions(config, clock, onError));
  const stopRetention = startRetention({
    ledger: storage.ledger,
    clock,
    days: config.RETENTION_DAYS,
    onPurged: (rows) => log.info("old ledger rows deleted", { rows }),
    onError,
  });
  return {
    ...storage,
    close: async () => {
      await stopRetention();
      await storage.close();
    },
  };
}
