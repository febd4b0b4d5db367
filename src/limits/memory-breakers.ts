import type { Breakers, Clock } from "../core/ports.ts";
import {
  ask,
  BREAKER,
  type Breaker,
  countFailure,
  countSuccess,
  createBreaker,
  release,
  type State,
} from "./breaker-rules.ts";

/** Decides at once. */
export interface MemoryBreakers extends Breakers {
  state(id: string): { readonly state: State };
  succeeded(id: string, asProbe?: boolean): void;
  failed(id: string, asProbe?: boolean): void;
  released(id: string, wasAsked: boolean): void;
}

/** In the memory of this process. Bounded by its ids, which are the operator's targets. */
export function createMemoryBreakers(
  clock: Pick<Clock, "monotonicMs">,
  random: () => number = Math.random,
): MemoryBreakers {
  const breakers = new Map<string, Breaker>();
  const known = (id: string, nowMs: number) => {
    const breaker = breakers.get(id);
    return breaker === undefined || nowMs - breaker.usedAtMs > BREAKER.forgetMs ? null : breaker;
  };
  const counted = (id: string, nowMs: number) => {
    const breaker = known(id, nowMs) ?? createBreaker(nowMs);
    breakers.set(id, breaker);
    return breaker;
  };

  return {
    state(id) {
      const nowMs = clock.monotonicMs();
      const breaker = known(id, nowMs);
      return { state: breaker === null ? "closed" : ask(breaker, nowMs, random()) };
    },
    remainingMs(id) {
      const nowMs = clock.monotonicMs();
      const breaker = known(id, nowMs);
      if (breaker === null || breaker.phase === "closed") return 0;
      return Math.max(0, breaker.untilMs - nowMs);
    },
    succeeded(id, asProbe = false) {
      const nowMs = clock.monotonicMs();
      countSuccess(counted(id, nowMs), nowMs, asProbe);
    },
    failed(id, asProbe = false) {
      const nowMs = clock.monotonicMs();
      countFailure(counted(id, nowMs), nowMs, random(), asProbe);
    },
    released(id, wasAsked) {
      const nowMs = clock.monotonicMs();
      const breaker = known(id, nowMs);
      if (breaker !== null) release(breaker, nowMs, random(), wasAsked);
    },
  };
}
