import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { ProxyError } from "../../../core/errors.ts";
import { roomIn } from "../../../http/reply/event-stream.ts";

/**
 * Writes frames with back-pressure. `ws` would buffer without a bound; here all writers wait while the
 * socket buffers more than 64 KiB, so that a stalled reader also stops the upstream.
 */
export interface FrameWriter {
  /** Resolves when there is room for more; rejects `canceled` if the reader has left. */
  send(text: string): Promise<void>;
  /** Sends the last frame of an answer. Resolves when it is written, or can't be any more. */
  sendLast(text: string): Promise<void>;
  /** Whether it waits for the reader. The wait has its own deadline. */
  readonly stalled: boolean;
}

export function createFrameWriter(ws: WebSocket, socket: Socket): FrameWriter {
  // shared by all questions, so that they don't each add listeners to the socket
  let waiting: Promise<void> | null = null;
  const room = (): Promise<void> => {
    waiting ??= roomIn(socket).finally(() => {
      waiting = null;
    });
    return waiting;
  };
  return {
    async send(text) {
      while (socket.writableNeedDrain) await room();
      if (ws.readyState !== ws.OPEN) throw new ProxyError("canceled");
      ws.send(text);
      if (socket.writableNeedDrain) await room();
    },
    async sendLast(text) {
      const written = Promise.withResolvers<void>();
      ws.send(text, () => written.resolve());
      if (socket.writableNeedDrain) await room().catch(() => undefined);
      await written.promise;
    },
    get stalled() {
      return waiting !== null;
    },
  };
}
