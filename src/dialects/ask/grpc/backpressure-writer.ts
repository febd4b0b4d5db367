import { constants, type ServerHttp2Stream } from "node:http2";
import { ProxyError } from "../../../core/errors.ts";
import type { AskResponse } from "./messages.ts";

/** Above this, nothing more is read from the upstream until the reader has taken some. */
const MAX_WAITING_BYTES = 65_536;
/** Overhead of a message, so that many short ones are bounded too. */
const MESSAGE_BYTES = 256;
/** A reader that takes nothing for this long is cut off, even if its connection is open. */
const STALLED_READER_MS = 60_000;

/** Writes messages with back-pressure by bytes: the library's stream counts messages. */
export interface MessageWriter {
  /** Resolves when there is room for more; rejects `canceled` if the reader has left. */
  write(message: AskResponse): Promise<void>;
  /** Call after the status was sent: the reader has as long to take it as for a message. */
  awaitEnd(): void;
}

export function createMessageWriter(
  write: (message: AskResponse, onTaken: () => void) => void,
  stream: ServerHttp2Stream,
  stalledMs = STALLED_READER_MS,
): MessageWriter {
  let waiting = 0;
  let wake: (() => void) | null = null;
  let stalled: NodeJS.Timeout | null = null;
  const stopTimer = () => {
    if (stalled !== null) clearTimeout(stalled);
    stalled = null;
  };
  /** Resets only the stream of a stalled reader: its connection stays open. */
  const startTimer = () => {
    if (stalled !== null) stalled.refresh();
    else if (!stream.closed) {
      stalled = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), stalledMs).unref();
    }
  };
  const onTaken = (bytes: number) => {
    waiting -= bytes;
    if (waiting === 0) stopTimer();
    else startTimer();
    if (waiting <= MAX_WAITING_BYTES) wake?.();
  };
  stream.once("close", () => {
    stopTimer();
    wake?.();
  });
  return {
    awaitEnd: startTimer,
    async write(message) {
      if (stream.closed) throw new ProxyError("canceled");
      const bytes = MESSAGE_BYTES + Buffer.byteLength(message.response);
      if (waiting === 0) startTimer();
      waiting += bytes;
      write(message, () => onTaken(bytes));
      if (waiting <= MAX_WAITING_BYTES) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = null;
      if (stream.closed) throw new ProxyError("canceled");
    },
  };
}
