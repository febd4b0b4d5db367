import { type Finding, fault, ok, type ReachedWorld, warning, withAdmin } from "../check.ts";
import { below } from "../public-call.ts";
import { readTicks } from "../ticks.ts";

/** For the way there and back. */
const MARGIN_MS = 8_000;
/** Parley's streams are never silent for longer: cutting off below it breaks them. */
const HEARTBEAT_SECONDS = 15;

/** Does a connection survive on which nothing comes for a while? */
export const checkSilence = withAdmin((world, headers) =>
  Promise.all(world.times.silences.map((seconds) => silent(world, headers, seconds))),
);

async function silent(
  { url, clock }: ReachedWorld,
  headers: Readonly<Record<string, string>>,
  seconds: number,
): Promise<Finding> {
  const path = `/admin/doctor/stream?silent_seconds=${seconds}`;
  const timeoutMs = seconds * 1_000 + MARGIN_MS;
  const { end, ms } = await readTicks(below(url, path), { headers, clock, count: 2, timeoutMs });
  if (end === "whole") return ok("silence_ok", { seconds });
  const params = { seconds, after: Math.round(ms / 1_000) };
  return seconds <= HEARTBEAT_SECONDS
    ? fault("silence_cut", params)
    : warning("silence_cut_late", params);
}
