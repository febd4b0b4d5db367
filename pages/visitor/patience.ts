/** Ordinary code takes a tenth of it. */
const SLOW_MS = 30;
/** When slow work has taken so long in all, no more is done: it holds the page up. */
const MAX_SLOW_MS = 500;

/** Does work as long as what was slow of it has not taken too long in all; null after that. */
export function createPatience(now: () => number) {
  let slowMs = 0;
  return function attempt<T>(work: () => T): T | null {
    if (slowMs > MAX_SLOW_MS) return null;
    const began = now();
    const result = work();
    const took = now() - began;
    if (took > SLOW_MS) slowMs += took;
    return result;
  };
}
