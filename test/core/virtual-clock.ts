import type { Clock } from "../../src/core/ports.ts";

export interface VirtualClock extends Clock {
  advance(ms: number): void;
  /** Every pause that was asked for, oldest first. */
  readonly sleptMs: readonly number[];
}

export interface VirtualClockOptions {
  /** Called when a pause begins, before its time has passed. */
  readonly onSleep?: () => void;
}

/** Time that passes only when a test or a pause says so. The two kinds never agree by chance. */
export function createVirtualClock({ onSleep }: VirtualClockOptions = {}): VirtualClock {
  const sleptMs: number[] = [];
  let passedMs = 0;
  return {
    sleptMs,
    monotonicMs: () => 1_000_000 + passedMs,
    wallMs: () => 1_700_000_000_000 + passedMs,
    sleep: async (ms, signal) => {
      sleptMs.push(ms);
      onSleep?.();
      if (!signal.aborted) passedMs += ms;
    },
    advance: (ms) => {
      passedMs += ms;
    },
  };
}
