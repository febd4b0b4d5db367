import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { ProxyError } from "../../../core/errors.ts";
import { roomIn } from "../../../http/reply/event-stream.ts";

/**
 * Frames on their way out. `ws` would buffer without end; here everybody waits while the socket holds
 * more than its mark (64 KiB), so that a reader who stops stops the upstream, too.
 */
export interface Outbox {
  /** Resolves when there is room for more; rejects `canceled` when the reader has left. */
  send(text: string): Promise<void>;
  /** A frame after which nothing follows: resolves when it has left, or cannot any more. */
  sendLast(text: string): Promise<void>;
  /** Waiting for a reader who takes nothing; that has its own deadline. */
  readonly stalled: boolean;
}

export function createOutbox(ws: WebSocket, socket: Socket): Outbox {
  // one wait for all questions: each would add its listeners to the socket
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
      const left = Promise.withResolvers<void>();
      ws.send(text, () => left.resolve());
      if (socket.writableNeedDrain) await room().catch(() => undefined);
      await left.promise;
    },
    get stalled() {
      return waiting !== null;
    },
  };
}
