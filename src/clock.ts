import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "./core/ports.ts";

/** The system's time, for the server, the command and tests that control no clock of their own. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: (ms, signal) =>
    // Node only reads `aborted` and adds a listener, so a CallSignal is enough
    wait(ms, undefined, { signal: signal as AbortSignal }).catch(() => undefined),
};
