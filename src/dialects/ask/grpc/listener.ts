import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type ConnectionInjector,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
} from "@grpc/grpc-js";
import type { Listener } from "../../../http/listener.ts";
import type { Translate } from "../../../locales.ts";
import { type AnswerOptions, createAnswer } from "./answer.ts";
import { createReception, type ReceptionOptions } from "./call-interceptor.ts";
import { createHealth } from "./health.ts";
import { ASK_PATH, loadAsk } from "./messages.ts";
import { addReflection } from "./reflection.ts";
import { createSideServices } from "./side-services.ts";
import { createDescribeStatus } from "./statuses.ts";

export interface GrpcOptions extends ReceptionOptions, AnswerOptions {
  readonly translate: Translate;
  /** Paths of PEM files; null: without TLS. */
  readonly tls: { readonly certPath: string; readonly keyPath: string } | null;
}

const MAX_CONNECTIONS = 1_000;
const MAX_STREAMS_A_CONNECTION = 100;
/** What one connection may keep in memory; node:http2 counts in megabytes. */
const MAX_CONNECTION_MEGABYTES = 64;
/** A connection without a call is closed after this; one whose other end is gone, after the pings. */
const IDLE_CONNECTION_MS = 300_000;
const PING_AFTER_MS = 60_000;
const PING_ANSWER_MS = 20_000;

/** Ask, health and reflection on a port of their own. */
export function createGrpcListener(options: GrpcOptions): Listener {
  const health = createHealth();
  const grpc = createGrpcServer(options, health);
  const sockets = new Set<Socket>();
  let injector: ConnectionInjector | null = null;
  // ours, not the library's: that one has no bound of connections, and loses them when it closes
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined); // "close" says all we need
    socket.once("close", () => sockets.delete(socket));
    if (injector === null) socket.destroy();
    else injector.injectConnection(socket);
  });
  server.maxConnections = MAX_CONNECTIONS;

  return {
    name: "grpc",
    async listen(host, port) {
      injector = grpc.createConnectionInjector(await credentialsOf(options.tls));
      server.listen(port, host);
      await once(server, "listening");
      const address = server.address();
      return typeof address === "object" && address !== null ? address.port : port;
    },
    drain: () => health.drain(),
    async close() {
      const closed = server.listening ? once(server, "close") : null;
      server.close();
      injector?.destroy(); // GOAWAY to all
      await nextTurn();
      for (const socket of sockets) socket.destroy();
      grpc.forceShutdown();
      await closed;
    },
  };
}

function createGrpcServer(options: GrpcOptions, health: ReturnType<typeof createHealth>): Server {
  const { definition, service } = loadAsk();
  const reception = createReception(options, createDescribeStatus(options.translate));
  const side = createSideServices();
  const server = new Server({
    interceptors: [
      ({ path, requestStream }, call) => {
        const listen =
          path === ASK_PATH ? reception.receive : side[requestStream ? "many" : "single"];
        return new ServerInterceptingCall(call, { start: (next) => next(listen(call)) });
      },
    ],
    "grpc.max_receive_message_length": options.maxBodyBytes,
    "grpc.max_concurrent_streams": MAX_STREAMS_A_CONNECTION,
    "grpc.max_connection_idle_ms": IDLE_CONNECTION_MS,
    "grpc.keepalive_time_ms": PING_AFTER_MS,
    "grpc.keepalive_timeout_ms": PING_ANSWER_MS,
    "grpc.enable_channelz": 0, // it would keep statistics of every connection for nobody
    "grpc-node.max_session_memory": MAX_CONNECTION_MEGABYTES,
  });
  server.addService(service, { Ask: createAnswer(reception, options) });
  health.addTo(server);
  addReflection(server, definition);
  return server;
}

/** The files were looked at when the settings were read; what is in them now is what counts. */
async function credentialsOf(tls: GrpcOptions["tls"]): Promise<ServerCredentials> {
  if (tls === null) return ServerCredentials.createInsecure();
  const [cert_chain, private_key] = await Promise.all([
    readFile(tls.certPath),
    readFile(tls.keyPath),
  ]);
  return ServerCredentials.createSsl(null, [{ cert_chain, private_key }]);
}
