import type { handleBidiStreamingCall, Server, UntypedHandleCall } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { healthProtoPath } from "./health.ts";

/** Tells clients without the .proto file what there is: versions v1 and v1alpha of the service. */
export function addReflection(server: Server, definition: PackageDefinition): void {
  const all = { ...definition, ...loadSync(healthProtoPath, { keepCase: true }) };
  new ReflectionService(all).addToServer({
    addService(service, { ServerReflectionInfo: handle }) {
      if (handle === undefined) return;
      server.addService(service, { ServerReflectionInfo: withBackPressure(handle) });
    },
  });
}

/** The package answers as fast as it is asked, whether or not anybody reads the answers. */
function withBackPressure(handle: UntypedHandleCall): handleBidiStreamingCall<unknown, unknown> {
  const answer = handle as handleBidiStreamingCall<unknown, unknown>; // as its .proto says
  return (stream) => {
    answer(stream);
    stream.on("data", () => {
      if (!stream.writableNeedDrain) return;
      stream.pause();
      stream.once("drain", () => stream.resume());
    });
  };
}
