/** The heartbeats of living processes. */
export interface Living {
  readonly seenFrom: number;
  readonly seenTo: number;
}

/**
 * Tells which heartbeats are those of living processes, with the database's time at each look. Who could
 * not look for a while, because the database was away, this process was paused or the clock has jumped,
 * can't blame others for their silence: whoever lived before it has `staleMs` to be heard again.
 */
export function createSilence(staleMs: number): (nowMs: number) => Living {
  let lastMs: number | null = null;
  let lenient: Living = { seenFrom: 0, seenTo: 0 };
  let lenientUntilMs = 0;
  return (nowMs) => {
    if (lastMs !== null && Math.abs(nowMs - lastMs) > staleMs / 2) {
      const before = lastMs < lenientUntilMs ? lenient.seenFrom : lastMs - staleMs;
      const seenFrom = Math.min(before, nowMs - staleMs);
      lenient = { seenFrom, seenTo: Number.MAX_SAFE_INTEGER };
      lenientUntilMs = nowMs + staleMs;
    }
    lastMs = nowMs;
    if (nowMs < lenientUntilMs) return lenient;
    // a row from the future was written before the clock went back, and would never become old
    return { seenFrom: nowMs - staleMs, seenTo: nowMs + staleMs };
  };
}
