import type { ServerResponse } from "node:http";
import { ProxyError } from "../../core/errors.ts";
import { Room, roomBytes } from "../../core/room.ts";

/** For all forms that are held whole. */
const ROOM_BYTES = 67_108_864;
const RETRY_MS = 2_000;

/** Bounds what forms hold together, and those of one bucket at a quarter. */
export interface FormRoom {
  /** What a call holds until its response is over. Throws `overloaded` if there is no room for more. */
  enter(outgoing: ServerResponse, bucket: string): (bytes: number) => void;
}

export function createFormRoom(maxUploadBytes: number): FormRoom {
  const room = new Room(roomBytes(ROOM_BYTES, maxUploadBytes));
  return {
    enter(outgoing, bucket) {
      let heldBytes = 0;
      const resize = (bytes: number) => {
        if (!room.resize(bucket, heldBytes, bytes)) return false;
        heldBytes = bytes;
        return true;
      };
      outgoing.once("close", () => resize(0));
      return (bytes) => {
        // one that has left would never give it back
        if (outgoing.destroyed) throw new ProxyError("canceled");
        if (!resize(bytes)) throw new ProxyError("overloaded", { retryAfterMs: RETRY_MS });
      };
    },
  };
}
