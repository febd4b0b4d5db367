import { randomUUID } from "node:crypto";
import type { Clock } from "../../core/ports.ts";
import { fault, ok, type ReachedWorld, skipped, withAdmin } from "../check.ts";
import { below, jsonObject } from "../public-call.ts";
import { readTicks } from "../ticks.ts";

/** Nothing is sent meanwhile: a proxy that writes notices by itself. */
const SILENT_SECONDS = 10;
const LEAVE_MS = 3_000;
const POLLS = 10;
const POLL_MS = 400;
/** Slower than this means that the proxy reads on. */
const MAX_NOTICED_SECONDS = 3;

/** Does the server notice that a client has left? */
export const checkHangUp = withAdmin(async (world, headers) => {
  const { url, clock } = world;
  const id = randomUUID();
  const path = `/admin/doctor/stream?id=${id}&silent_seconds=${SILENT_SECONDS}`;
  const options = { headers, clock, count: 2, leaveAfter: 1, timeoutMs: LEAVE_MS };
  const { end } = await readTicks(below(url, path), options);
  const leftMs = clock.monotonicMs();
  if (end === "cut") return [skipped("hang_up_no_stream")];
  for (let poll = 0; poll < POLLS; poll += 1) {
    const { state, secondsAgo } = await ask(world, headers, id);
    const seconds = (clock.monotonicMs() - leftMs) / 1_000 - secondsAgo;
    // another copy may answer
    if (state === "left" && seconds <= MAX_NOTICED_SECONDS) {
      return [ok("hang_up_ok", { seconds: Math.max(0, seconds).toFixed(1) })];
    }
    if (state === "left" || state === "ended") return [fault("hang_up_unseen")];
    await pause(clock);
  }
  const { state } = await ask(world, headers, id);
  return [state === "unknown" ? skipped("hang_up_other_copy") : fault("hang_up_unseen")];
});

async function ask(world: ReachedWorld, headers: Readonly<Record<string, string>>, id: string) {
  const { text } = await world.ask(`/admin/doctor/streams/${id}`, { headers });
  const { state, seconds_ago: ago } = jsonObject(text);
  return { state: String(state), secondsAgo: typeof ago === "number" ? ago : 0 };
}

function pause(clock: Clock): Promise<void> {
  return clock.sleep(POLL_MS, new AbortController().signal);
}
