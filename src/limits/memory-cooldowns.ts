import type { Clock, Cooldowns } from "../core/ports.ts";

/** In the memory of this process. Bounded by its ids, which are the operator's keys. */
export function createMemoryCooldowns(clock: Pick<Clock, "monotonicMs">): Cooldowns {
  const untilMs = new Map<string, number>();
  return {
    remainingMs: (id) => Math.max(0, (untilMs.get(id) ?? 0) - clock.monotonicMs()),
    start(id, forMs) {
      untilMs.set(id, clock.monotonicMs() + forMs);
    },
    end(id) {
      untilMs.delete(id);
    },
  };
}
