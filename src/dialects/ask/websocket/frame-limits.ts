import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { Clock } from "../../../core/ports.ts";
import { Room, roomBytes } from "../../../core/room.ts";

/** Pings, pongs, and malformed or refused frames that a connection may send per minute. */
export const MAX_CONTROL_FRAMES = 120;
const MINUTE_MS = 60_000;

/** Counts one such frame; true if it exceeds the limit. */
export function createControlFrameLimit(clock: Pick<Clock, "monotonicMs">): () => boolean {
  let sinceMs = clock.monotonicMs();
  let count = 0;
  return () => {
    const nowMs = clock.monotonicMs();
    if (nowMs - sinceMs >= MINUTE_MS) {
      sinceMs = nowMs;
      count = 0;
    }
    count += 1;
    return count > MAX_CONTROL_FRAMES;
  };
}

/** For the unfinished messages of all connections together. */
const MAX_BUFFERED_BYTES = 67_108_864;
/** Not counted per connection: most messages are smaller. */
const SMALL_BYTES = 16_384;
/** Head of a client's frame with a payload under 126 bytes. */
const SMALL_FRAME_HEAD_BYTES = 6;

/** Watches one connection. Calls `onOverflow` if there is no room for its unfinished message. */
export type LimitMessageBuffer = (
  ws: WebSocket,
  socket: Socket,
  bucket: string,
  onOverflow: () => void,
) => void;

/** Bounds what `ws` buffers: thousands of messages that never end would fill the memory. */
export function createMessageBufferLimit(maxMessageBytes: number): LimitMessageBuffer {
  const room = new Room(roomBytes(MAX_BUFFERED_BYTES, maxMessageBytes));
  return (ws, socket, bucket, onOverflow) => {
    let bytes = 0;
    let counted = 0;
    /** False if there is no room. */
    const count = (now: number): boolean => {
      bytes = now;
      const counts = bytes > SMALL_BYTES ? bytes : 0;
      if (!room.resize(bucket, counted, counts)) return false;
      counted = counts;
      return true;
    };
    // before `ws` handles it: the end of a message resets the count
    socket.prependListener("data", (piece: Buffer) => {
      if (!count(bytes + piece.length)) onOverflow();
    });
    const control = (data: Buffer) =>
      count(Math.max(0, bytes - SMALL_FRAME_HEAD_BYTES - data.length));
    ws.on("message", () => count(0));
    ws.on("ping", control);
    ws.on("pong", control);
    socket.once("close", () => count(0));
  };
}
