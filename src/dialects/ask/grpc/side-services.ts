import { constants } from "node:http2";
import {
  Metadata,
  type ServerInterceptingCallInterface,
  type ServerListener,
  status,
} from "@grpc/grpc-js";
import { streamOf } from "./http2-stream.ts";
import { answerAtOnce, boundUpload } from "./upload.ts";

/** For debugging by hand; anybody may ask, so not many at once and not for long. */
const MAX_REFLECTIONS = 20;
const MAX_REFLECTION_MS = 60_000;

/** Bounds health and reflection, which nobody needs a credential for and no limit counts. */
export interface SideServices {
  /** For methods that take one message. */
  single(call: ServerInterceptingCallInterface): ServerListener;
  /** For those that take many. */
  many(call: ServerInterceptingCallInterface): ServerListener;
}

export function createSideServices(): SideServices {
  let reflections = 0;
  return {
    single(call) {
      const stream = streamOf(call);
      const refuse = () => {
        const metadata = new Metadata();
        const details = "one whole message at once, please";
        answerAtOnce(call, stream, { code: status.INVALID_ARGUMENT, details, metadata });
      };
      return boundUpload(stream, { onSlow: refuse, refuse });
    },
    many(call) {
      const stream = streamOf(call);
      if (reflections >= MAX_REFLECTIONS) {
        const metadata = new Metadata();
        const details = "too many at once";
        const refused = { code: status.RESOURCE_EXHAUSTED, details, metadata };
        return { onReceiveMetadata: () => answerAtOnce(call, stream, refused) };
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
