import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { setImmediate as nextTick } from "node:timers/promises";
import {
  type ConnectionInjector,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
} from "@grpc/grpc-js";
import { closePort } from "../../../http/close-port.ts";
import type { Listener } from "../../../http/listener.ts";
import type { Translate } from "../../../locales.ts";
import { type AnswerOptions, createAnswer } from "./answer.ts";
import { type CallInterceptorOptions, createCallInterceptor } from "./call-interceptor.ts";
import { type StreamContexts, translateStatuses } from "./library-statuses.ts";
import { ASK_PATH, loadAsk } from "./messages.ts";
import { addHealth, addReflection, createSideServiceLimits } from "./side-services.ts";
import { createDescribeStatus } from "./statuses.ts";

export interface GrpcOptions extends Omit<CallInterceptorOptions, "contexts">, AnswerOptions {
  readonly maxBodyBytes: number;
  readonly translate: Translate;
  /** Paths of PEM files; null: no TLS. */
  readonly tls: { readonly certPath: string; readonly keyPath: string } | null;
}

const MAX_CONNECTIONS = 1_000;
const MAX_STREAMS_PER_CONNECTION = 100;
/** Memory that one connection may take; node:http2 counts in megabytes. */
const MAX_CONNECTION_MEGABYTES = 64;
/** Closes connections without a call. Pings find those whose other end is gone. */
const IDLE_CONNECTION_MS = 300_000;
const PING_AFTER_MS = 60_000;
const PING_ANSWER_MS = 20_000;
/** The library wants a time for calls to end. They have what SHUTDOWN_SECONDS gives: `close` ends them. */
const MAX_TIMER_MS = 2_147_483_647;

/** Ask, health and reflection on a port of their own. */
export function createGrpcListener(options: GrpcOptions): Listener {
  const { grpc, notServing } = createGrpcServer(options);
  const sockets = new Set<Socket>();
  let injector: ConnectionInjector | null = null;
  // not the library's server: it does not bound connections, and loses them when it closes
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined); // followed by "close"
    socket.once("close", () => sockets.delete(socket));
    if (injector === null) socket.destroy();
    else injector.injectConnection(socket);
  });
  server.maxConnections = MAX_CONNECTIONS;
  /** With GOAWAY. Clients send calls that came too late for it to another instance by themselves. */
  const leaveClients = () => injector?.drain(MAX_TIMER_MS);

  return {
    name: "grpc",
    async listen(host, port) {
      injector = grpc.createConnectionInjector(await credentialsOf(options.tls));
      server.listen(port, host);
      await once(server, "listening");
      const address = server.address();
      return typeof address === "object" && address !== null ? address.port : port;
    },
    retire: notServing,
    async closePort() {
      await closePort(server);
      leaveClients();
    },
    drain() {
      notServing();
      leaveClients();
    },
    async close() {
      const closed = server.listening ? once(server, "close") : null;
      server.close();
      injector?.destroy(); // GOAWAY to all
      await nextTick();
      for (const socket of sockets) socket.destroy();
      grpc.forceShutdown();
      await closed;
    },
  };
}

function createGrpcServer(options: GrpcOptions): { grpc: Server; notServing: () => void } {
  const { definition, service } = loadAsk();
  const contexts: StreamContexts = new WeakMap();
  const describe = createDescribeStatus(options.translate);
  const interceptor = createCallInterceptor({ ...options, contexts }, describe);
  const side = createSideServiceLimits();
  const grpc = new Server({
    interceptors: [
      ({ path, requestStream }, call) => {
        const listen =
          path === ASK_PATH ? interceptor.intercept : side[requestStream ? "many" : "single"];
        return new ServerInterceptingCall(call, { start: (next) => next(listen(call)) });
      },
    ],
    "grpc.max_receive_message_length": options.maxBodyBytes,
    "grpc.max_concurrent_streams": MAX_STREAMS_PER_CONNECTION,
    "grpc.max_connection_idle_ms": IDLE_CONNECTION_MS,
    "grpc.keepalive_time_ms": PING_AFTER_MS,
    "grpc.keepalive_timeout_ms": PING_ANSWER_MS,
    "grpc.enable_channelz": 0, // it would keep unused statistics of every connection
    "grpc-node.max_session_memory": MAX_CONNECTION_MEGABYTES,
  });
  translateStatuses(grpc, describe, { ...options, contexts });
  grpc.addService(service, { Ask: createAnswer(interceptor, options) });
  const notServing = addHealth(grpc);
  addReflection(grpc, definition);
  return { grpc, notServing };
}

/** Reads the files again: they were checked with the settings, and may have changed since. */
async function credentialsOf(tls: GrpcOptions["tls"]): Promise<ServerCredentials> {
  if (tls === null) return ServerCredentials.createInsecure();
  const [cert_chain, private_key] = await Promise.all([
    readFile(tls.certPath),
    readFile(tls.keyPath),
  ]);
  return ServerCredentials.createSsl(null, [{ cert_chain, private_key }]);
}
