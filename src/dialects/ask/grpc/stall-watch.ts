import { constants, type ServerHttp2Stream } from "node:http2";

/** A reader that takes nothing for this long is gone, whatever its connection says. */
const STALLED_READER_MS = 60_000;

/** Resets the stream of a reader that does not take what waits for it; its connection stays. */
export interface StallWatch {
  /** Something waits for the reader, or it has just taken a part. */
  waits(): void;
  /** The reader has taken everything. */
  rests(): void;
}

export function createStallWatch(
  stream: ServerHttp2Stream,
  stalledMs = STALLED_READER_MS,
): StallWatch {
  let timer: NodeJS.Timeout | null = null;
  const rests = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
  stream.once("close", rests);
  return {
    rests,
    waits() {
      if (timer !== null) timer.refresh();
      else if (!stream.closed) {
        timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), stalledMs);
        timer.unref();
      }
    },
  };
}
