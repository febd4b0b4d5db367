import { type Server, type ServerWritableStream, type sendUnaryData, status } from "@grpc/grpc-js";
import { protoPath, service } from "grpc-health-check";
import { CHAT_SERVICE } from "./messages.ts";

interface HealthRequest {
  readonly service: string;
}
interface HealthResponse {
  readonly status: "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";
}

export interface Health {
  addTo(server: Server): void;
  /** From now on NOT_SERVING. */
  drain(): void;
}

/** Where its .proto is, for reflection. */
export const healthProtoPath = protoPath;

/** The server as a whole, and the service in it. */
const NAMES: readonly string[] = ["", CHAT_SERVICE];
const MAX_WATCHERS = 1_000;

/**
 * grpc.health.v1 with the package's messages. Its own implementation keeps every name that was ever
 * watched, and names are the client's choice.
 */
export function createHealth(): Health {
  let serving: HealthResponse = { status: "SERVING" };
  const watchers = new Set<ServerWritableStream<HealthRequest, HealthResponse>>();
  return {
    addTo(server) {
      server.addService(service, {
        check({ request }: { request: HealthRequest }, reply: sendUnaryData<HealthResponse>) {
          if (NAMES.includes(request.service)) reply(null, serving);
          else reply({ code: status.NOT_FOUND, details: "unknown service" });
        },
        list(_call: unknown, reply: sendUnaryData<{ statuses: Record<string, HealthResponse> }>) {
          reply(null, { statuses: Object.fromEntries(NAMES.map((name) => [name, serving])) });
        },
        watch(call: ServerWritableStream<HealthRequest, HealthResponse>) {
          if (watchers.size >= MAX_WATCHERS) {
            call.emit("error", { code: status.RESOURCE_EXHAUSTED, details: "too many watchers" });
            return;
          }
          if (!NAMES.includes(call.request.service)) {
            call.write({ status: "SERVICE_UNKNOWN" });
            return;
          }
          watchers.add(call);
          call.on("cancelled", () => watchers.delete(call));
          call.write(serving);
        },
      });
    },
    drain() {
      serving = { status: "NOT_SERVING" };
      for (const watcher of watchers) watcher.write(serving);
    },
  };
}
