import type { Socket } from "node:net";
import type { WebSocket } from "ws";

/** Of messages that have begun and not ended, all connections together. */
const MAX_UNFINISHED_BYTES = 67_108_864;
/** Where larger messages are allowed, room is made for at least this many of them. */
const LEAST_LARGEST_MESSAGES = 4;
/** What each connection may have without being counted: most messages are smaller. */
const SMALL_BYTES = 16_384;
/** Of a frame from a client with less than 126 bytes in it. */
const SMALL_FRAME_HEAD_BYTES = 6;

/** Bounds what `ws` keeps of unfinished messages: thousands that never end would fill the memory. */
export interface Unfinished {
  /** Calls `onTooMuch` when this connection's message finds no room. */
  watch(ws: WebSocket, socket: Socket, onTooMuch: () => void): void;
}

export function createUnfinished(maxMessageBytes: number): Unfinished {
  const most = Math.max(MAX_UNFINISHED_BYTES, LEAST_LARGEST_MESSAGES * maxMessageBytes);
  let total = 0;
  return {
    watch(ws, socket, onTooMuch) {
      let bytes = 0;
      let counted = 0;
      const count = (now: number) => {
        bytes = now;
        const counts = bytes > SMALL_BYTES ? bytes : 0;
        total += counts - counted;
        counted = counts;
      };
      // before `ws` sees it, so that the message this piece ends takes it out again
      socket.prependListener("data", (piece: Buffer) => {
        count(bytes + piece.length);
        if (total > most && counted > 0) onTooMuch();
      });
      const control = (data: Buffer) =>
        count(Math.max(0, bytes - SMALL_FRAME_HEAD_BYTES - data.length));
      ws.on("message", () => count(0));
      ws.on("ping", control);
      ws.on("pong", control);
      socket.once("close", () => count(0));
    },
  };
}
