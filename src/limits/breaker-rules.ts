import { floatAt } from "./array-access.ts";

/** When a target is left alone, and for how long. Times in milliseconds. */
export const BREAKER = {
  /** Failures in a row that open it. */
  row: 5,
  /** Else half of at least so many calls within the window. */
  minCalls: 20,
  windowSeconds: 30,
  firstRestMs: 5_000,
  maxRestMs: 300_000,
  /** The part by which a rest is longer or shorter by chance, so that targets return one by one. */
  jitter: 0.2,
  /** A probe that has told nothing after this is taken for a failure, unless it succeeds yet. */
  probeMs: 30_000,
  /** A target that was not asked for so long begins anew. */
  forgetMs: 3_600_000,
} as const;

export type State = "closed" | "open" | "probe";

/** What is known of one target. */
export interface Breaker {
  phase: "closed" | "open" | "probing";
  /** A probe of this process has told nothing yet. */
  mine: boolean;
  row: number;
  /** How often it has opened in a row; each time it rests for twice as long. */
  level: number;
  /** When the rest is over, or the probe is taken for lost. */
  untilMs: number;
  usedAtMs: number;
  readonly tally: Tally;
}

export function createBreaker(nowMs: number): Breaker {
  const tally = createTally();
  return { phase: "closed", mine: false, row: 0, level: 0, untilMs: 0, usedAtMs: nowMs, tally };
}

/** `random`: 0 to 1. Milliseconds. */
export function restMs(level: number, random: number): number {
  const { firstRestMs, maxRestMs, jitter } = BREAKER;
  const rest = Math.min(firstRestMs * 2 ** level, maxRestMs);
  return Math.round(rest * (1 + jitter * (2 * random - 1)));
}

/** Answers one call that wants to ask the target. The first after a rest gets the probe. */
export function ask(breaker: Breaker, nowMs: number, random: number): State {
  if (breaker.phase === "closed") return "closed";
  // a target that hangs must not get a call each time that a probe is lost
  if (breaker.phase === "probing" && nowMs >= breaker.untilMs) {
    open(breaker, breaker.untilMs, breaker.level + 1, random);
  }
  if (nowMs < breaker.untilMs) return "open";
  breaker.phase = "probing";
  breaker.mine = true;
  breaker.untilMs = nowMs + BREAKER.probeMs;
  return "probe";
}

/** Nothing counts while it is open, but for its probe: what comes then was asked before. */
export function countSuccess(breaker: Breaker, nowMs: number, asProbe: boolean): void {
  breaker.usedAtMs = nowMs;
  if (breaker.phase === "closed") {
    breaker.row = 0;
    breaker.tally.add(nowMs, 1, 0);
  } else if (asProbe && breaker.mine) close(breaker);
}

export function countFailure(
  breaker: Breaker,
  nowMs: number,
  random: number,
  asProbe: boolean,
): void {
  breaker.usedAtMs = nowMs;
  if (breaker.phase === "closed") {
    breaker.row += 1;
    const { calls, failures } = breaker.tally.add(nowMs, 0, 1);
    const half = calls >= BREAKER.minCalls && failures * 2 >= calls;
    if (breaker.row >= BREAKER.row || half) open(breaker, nowMs, 0, random);
  } else if (asProbe && breaker.mine) {
    breaker.mine = false;
    if (breaker.phase === "probing") open(breaker, nowMs, breaker.level + 1, random);
  }
}

/** The probe tells nothing. The target rests as long as before, or not at all if it was not asked. */
export function release(breaker: Breaker, nowMs: number, random: number, wasAsked: boolean): void {
  if (!breaker.mine) return;
  breaker.mine = false;
  if (breaker.phase !== "probing") return;
  open(breaker, nowMs, breaker.level, random);
  if (!wasAsked) breaker.untilMs = nowMs;
}

function open(breaker: Breaker, nowMs: number, level: number, random: number): void {
  breaker.phase = "open";
  breaker.level = level;
  breaker.untilMs = nowMs + restMs(level, random);
}

export function close(breaker: Breaker): void {
  breaker.phase = "closed";
  breaker.mine = false;
  breaker.row = 0;
  breaker.level = 0;
  breaker.tally.clear();
}

/** Counts by the second; never anything that is older than the window. */
export interface Tally {
  /** Adds to the present second. Returns the sums of the window, if there are failures to judge. */
  add(nowMs: number, ok: number, failed: number): { calls: number; failures: number };
  clear(): void;
}

const NOTHING = { calls: 0, failures: 0 };

function createTally(): Tally {
  const size = BREAKER.windowSeconds;
  const seconds = new Float64Array(size);
  const good = new Float64Array(size);
  const bad = new Float64Array(size);
  return {
    add(nowMs, ok, failed) {
      const second = Math.floor(nowMs / 1_000);
      const at = second % size;
      const isOld = floatAt(seconds, at) !== second;
      seconds[at] = second;
      good[at] = (isOld ? 0 : floatAt(good, at)) + ok;
      bad[at] = (isOld ? 0 : floatAt(bad, at)) + failed;
      if (failed === 0) return NOTHING;
      const sums = { ...NOTHING };
      for (let slot = 0; slot < size; slot += 1) {
        if (floatAt(seconds, slot) <= second - size) continue;
        sums.calls += floatAt(good, slot) + floatAt(bad, slot);
        sums.failures += floatAt(bad, slot);
      }
      return sums;
    },
    clear() {
      good.fill(0);
      bad.fill(0);
    },
  };
}
