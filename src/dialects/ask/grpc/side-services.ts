import { constants } from "node:http2";
import {
  type handleBidiStreamingCall,
  Metadata,
  type Server,
  type ServerInterceptingCallInterface,
  type ServerListener,
  type ServerWritableStream,
  type StatusObject,
  type sendUnaryData,
  status,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { protoPath as healthProtoPath, service as healthService } from "grpc-health-check";
import type { ErrorCode } from "../../../core/errors.ts";
import { boundUpload, endAtOnce, streamOf } from "./call-stream.ts";
import { CHAT_SERVICE } from "./messages.ts";

interface HealthRequest {
  readonly service: string;
}
interface HealthResponse {
  readonly status: "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";
}

/** The server as a whole, and its one service. */
const NAMES: readonly string[] = ["", CHAT_SERVICE];
const MAX_WATCHERS = 1_000;

/**
 * Adds grpc.health.v1 and returns how to turn it to NOT_SERVING. The package's own implementation
 * keeps every name that was ever watched, and clients choose the names.
 */
export function addHealth(server: Server): () => void {
  let serving: HealthResponse = { status: "SERVING" };
  const watchers = new Set<ServerWritableStream<HealthRequest, HealthResponse>>();
  server.addService(healthService, {
    check({ request }: { request: HealthRequest }, reply: sendUnaryData<HealthResponse>) {
      if (NAMES.includes(request.service)) reply(null, serving);
      else reply({ code: status.NOT_FOUND });
    },
    list(_call: unknown, reply: sendUnaryData<{ statuses: Record<string, HealthResponse> }>) {
      reply(null, { statuses: Object.fromEntries(NAMES.map((name) => [name, serving])) });
    },
    watch(call: ServerWritableStream<HealthRequest, HealthResponse>) {
      if (watchers.size >= MAX_WATCHERS) {
        call.emit("error", OVERLOADED);
      } else if (NAMES.includes(call.request.service)) {
        watchers.add(call);
        call.on("cancelled", () => watchers.delete(call));
        call.write(serving);
      } else {
        call.write({ status: "SERVICE_UNKNOWN" });
      }
    },
  });
  return function notServing() {
    serving = { status: "NOT_SERVING" };
    for (const watcher of watchers) watcher.write(serving);
  };
}

/** Lets clients without the .proto file discover the services: reflection v1 and v1alpha. */
export function addReflection(server: Server, definition: PackageDefinition): void {
  const all = { ...definition, ...loadSync(healthProtoPath, { keepCase: true }) };
  new ReflectionService(all).addToServer({
    addService(service, { ServerReflectionInfo: handle }) {
      if (handle === undefined) return;
      server.addService(service, { ServerReflectionInfo: withBackPressure(handle) });
    },
  });
}

/** The package responds as fast as requests arrive, even if the client does not read. */
function withBackPressure(handle: UntypedHandleCall): handleBidiStreamingCall<unknown, unknown> {
  const respond = handle as handleBidiStreamingCall<unknown, unknown>; // as its .proto says
  return (stream) => {
    respond(stream);
    stream.on("data", () => {
      if (!stream.writableNeedDrain) return;
      stream.pause();
      stream.once("drain", () => stream.resume());
    });
  };
}

/** For debugging by hand. It needs no credential, so few at once and not for long. */
const MAX_REFLECTIONS = 20;
const MAX_REFLECTION_MS = 60_000;
/** A health check names a service, at most. */
const MAX_SIDE_REQUEST_BYTES = 16_384;

/** Bounds health and reflection, which need no credential and are not counted by the limits. */
export interface SideServiceLimits {
  /** For methods that take one message. */
  single(call: ServerInterceptingCallInterface): ServerListener;
  /** For methods that take a stream of messages. */
  many(call: ServerInterceptingCallInterface): ServerListener;
}

export function createSideServiceLimits(): SideServiceLimits {
  let reflections = 0;
  return {
    single(call) {
      const stream = streamOf(call);
      const refuse = () => endAtOnce(call, stream, MALFORMED);
      const onArrived = (bytes: number) => {
        if (bytes > MAX_SIDE_REQUEST_BYTES) refuse();
      };
      return boundUpload(stream, { onArrived, refuse });
    },
    many(call) {
      const stream = streamOf(call);
      if (reflections >= MAX_REFLECTIONS) {
        return { onReceiveMetadata: () => endAtOnce(call, stream, OVERLOADED) };
      }
      reflections += 1;
      const reset = () => stream.close(constants.NGHTTP2_CANCEL);
      const timer = setTimeout(reset, MAX_REFLECTION_MS).unref();
      stream.once("close", () => {
        clearTimeout(timer);
        reflections -= 1;
      });
      return {};
    },
  };
}

/** Their texts are added in the caller's language. */
const MALFORMED = statusOf(status.INVALID_ARGUMENT, "bad_request");
const OVERLOADED = statusOf(status.RESOURCE_EXHAUSTED, "overloaded");

function statusOf(code: status, error: ErrorCode): StatusObject {
  const metadata = new Metadata();
  metadata.set("error-code", error);
  return { code, details: "", metadata };
}
