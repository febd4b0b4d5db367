import { fault, ok, withAdmin } from "../check.ts";
import { below } from "../public-call.ts";
import { readTicks, type Ticks } from "../ticks.ts";

const TICKS = 20;
const EVERY_MS = 100;
const TIMEOUT_MS = 15_000;
/** Of the time in which ticks were sent, they must take at least this part to arrive. */
const MIN_SPREAD = 0.5;

/** Do pieces of a stream arrive when they are sent? */
export const checkStream = withAdmin(async ({ url, clock }, headers) => {
  const path = `/admin/doctor/stream?ticks=${TICKS}&every_ms=${EVERY_MS}`;
  const options = { headers, clock, count: TICKS, timeoutMs: TIMEOUT_MS };
  const ticks = await readTicks(below(url, path), options);
  const { all, end, isCompressed, status } = ticks;
  if (end !== "whole") return [fault("stream_broken", { count: all.length, status })];
  const { sentMs, cameMs } = spans(ticks);
  const params = { count: all.length, sent_ms: sentMs, came_ms: cameMs };
  if (cameMs >= sentMs * MIN_SPREAD) return [ok("stream_ok", params)];
  return [fault(isCompressed ? "stream_compressed" : "stream_buffered", params)];
});

function spans({ all }: Ticks) {
  const [first] = all;
  const last = all.at(-1);
  return {
    sentMs: Math.round((last?.sentMs ?? 0) - (first?.sentMs ?? 0)),
    cameMs: Math.round((last?.cameMs ?? 0) - (first?.cameMs ?? 0)),
  };
}
