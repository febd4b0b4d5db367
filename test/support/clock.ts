import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../../src/core/ports.ts";

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: (ms, signal) =>
    wait(ms, undefined, { signal: signal as AbortSignal }).catch(() => undefined),
};
