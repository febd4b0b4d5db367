import type { ServerHttp2Stream } from "node:http2";
import type { ServerWritableStream } from "@grpc/grpc-js";
import { ProxyError } from "../../../core/errors.ts";
import type { AskMessage, AskResponse } from "./messages.ts";
import type { StallWatch } from "./stall-watch.ts";

/** What may wait for one reader; above it nothing more is read from the upstream. */
const MAX_WAITING_BYTES = 65_536;
/** What a message costs beside its text, so that many short ones are bounded too. */
const MESSAGE_BYTES = 256;

/** Back-pressure: the stream of gRPC counts messages, of which sixteen could be large. */
export interface Outlet {
  /** Resolves when there is room for more; rejects `canceled` when the reader has left. */
  write(message: AskResponse): Promise<void>;
}

export function createOutlet(
  call: ServerWritableStream<AskMessage, AskResponse>,
  stream: ServerHttp2Stream,
  watch: StallWatch,
): Outlet {
  let waiting = 0;
  let wake: (() => void) | null = null;
  stream.once("close", () => wake?.());
  const take = (bytes: number) => {
    waiting -= bytes;
    if (waiting === 0) watch.rests();
    else watch.waits();
    if (waiting <= MAX_WAITING_BYTES) wake?.();
  };
  return {
    async write(message) {
      if (stream.closed) throw new ProxyError("canceled");
      const bytes = MESSAGE_BYTES + Buffer.byteLength(message.response);
      if (waiting === 0) watch.waits();
      waiting += bytes;
      call.write(message, () => take(bytes));
      if (waiting <= MAX_WAITING_BYTES) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = null;
      if (stream.closed) throw new ProxyError("canceled");
    },
  };
}
