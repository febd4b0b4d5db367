import type { Socket } from "node:net";
import type { WebSocket } from "ws";

/** Of messages that have begun and not ended, all connections together. */
const MAX_UNFINISHED_BYTES = 67_108_864;
/** Where larger messages are allowed, room is made for at least this many of them. */
const MIN_LARGE_MESSAGES = 4;
/** What each connection may have without being counted: most messages are smaller. */
const SMALL_BYTES = 16_384;
/** Of a frame from a client with less than 126 bytes in it. */
const SMALL_FRAME_HEAD_BYTES = 6;

/** Bounds what `ws` keeps of unfinished messages: thousands that never end would fill the memory. */
export interface Unfinished {
  /** Calls `onTooMuch` when this connection's message finds no room. */
  watch(ws: WebSocket, socket: Socket, onTooMuch: () => void): void;
}

/** What they may be together, where one message may be so large. */
export function maxUnfinishedBytes(maxMessageBytes: number): number {
  return Math.max(MAX_UNFINISHED_BYTES, MIN_LARGE_MESSAGES * maxMessageBytes);
}

/** `maxBytes`: of all unfinished messages together. */
export function createUnfinished(maxBytes: number): Unfinished {
  let allBytes = 0;
  return {
    watch(ws, socket, onTooMuch) {
      let bytes = 0;
      let counted = 0;
      /** Whether there is room for it. */
      const count = (now: number): boolean => {
        bytes = now;
        const counts = bytes > SMALL_BYTES ? bytes : 0;
        if (counts > counted && allBytes + counts - counted > maxBytes) return false;
        allBytes += counts - counted;
        counted = counts;
        return true;
      };
      // before `ws` sees it, so that the message this piece ends takes it out again
      socket.prependListener("data", (piece: Buffer) => {
        if (!count(bytes + piece.length)) onTooMuch();
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
