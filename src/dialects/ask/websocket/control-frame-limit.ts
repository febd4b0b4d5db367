import type { Clock } from "../../../core/ports.ts";

/** Frames that ask nothing (pings, malformed or refused ones) which a connection may send a minute. */
export const MAX_CONTROL_FRAMES = 120;
const MINUTE_MS = 60_000;

/** Counts one such frame; true when it is one too many. */
export function createStrayCount(clock: Pick<Clock, "monotonicMs">): () => boolean {
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
