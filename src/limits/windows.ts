import type { LimitDecision, WindowName, WindowState } from "../core/ports.ts";

/** Calls allowed in each window; 0 = no such window. */
export type Limits = Readonly<Record<WindowName, number>>;

/**
 * The admitted calls of one bucket, shared by all windows, oldest first and flat:
 * [lastTimeMs, count, lastTimeMs, count, …]. An entry of several calls carries the time of its
 * latest, so they leave a window late, never early.
 */
export type CallLog = number[];

export interface SlidingWindows {
  /** Counts one call, or nothing when a window is full. Changes `log` in place. */
  take(log: CallLog, nowMs: number): LimitDecision;
  peek(log: CallLog, nowMs: number): LimitDecision;
  /** A log whose last call is this old counts nowhere. */
  readonly longestMs: number;
}

interface Window {
  readonly name: WindowName;
  readonly windowMs: number;
  readonly limit: number;
}

/** What one window counts: the calls from `start` (an index into the log) to the end. */
interface Counted {
  readonly window: Window;
  readonly start: number;
  readonly calls: number;
}

const LENGTHS_MS: Readonly<Record<WindowName, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

const SHORTEST_FIRST: readonly WindowName[] = ["second", "minute", "hour", "day"];

/**
 * Up to this limit every call keeps its own time and the window is exact. Calls that only windows
 * above it see share an entry when they fall into the same 1/64 of the shortest of those: they
 * leave at most 1.6 % late. The cells lie on a fixed grid, because joining whatever is close would
 * chain entry to entry without end.
 */
const EXACT_LIMIT = 64;
const CELLS = 64;

/**
 * A span of one window's length touches 65 cells, and an exact window holds 64 entries: a tidied
 * log has at most 65 entries for each of four windows. It is tidied at twice that, so that one
 * tidying is paid for by at least 260 calls; a log takes 13 kB at most, whatever the limits are.
 */
export const MAX_LOG_ENTRIES = 2 * SHORTEST_FIRST.length * (CELLS + 1);

/** Admits at most `limit` calls in any span of a window's length. Null when nothing is limited. */
export function createSlidingWindows(limits: Limits): SlidingWindows | null {
  const windows = SHORTEST_FIRST.filter((name) => limits[name] > 0).map(
    (name): Window => ({ name, windowMs: LENGTHS_MS[name], limit: limits[name] }),
  );
  const longestMs = windows.at(-1)?.windowMs;
  if (longestMs === undefined) return null;

  return {
    take(log, nowMs) {
      const counted = countCalls(windows, log, nowMs);
      if (counted.some(isFull)) return refusal(counted, log, nowMs);
      append(log, nowMs);
      const firstLive = counted.at(-1)?.start ?? 0;
      if (firstLive * 2 < log.length && log.length <= 2 * MAX_LOG_ENTRIES) {
        return admission(counted.map(withOneMore), log, nowMs);
      }
      tidy(windows, log, firstLive, nowMs);
      return admission(countCalls(windows, log, nowMs), log, nowMs);
    },
    peek(log, nowMs) {
      const counted = countCalls(windows, log, nowMs);
      return (counted.some(isFull) ? refusal : admission)(counted, log, nowMs);
    },
    longestMs,
  };
}

/** One pass from the newest entry back: each longer window goes on where the shorter one ended. */
function countCalls(windows: readonly Window[], log: CallLog, nowMs: number): Counted[] {
  let start = log.length;
  let calls = 0;
  return windows.map((window) => {
    const goneMs = nowMs - window.windowMs;
    while (start > 0 && numberAt(log, start - 2) > goneMs) {
      start -= 2;
      calls += numberAt(log, start + 1);
    }
    return { window, start, calls };
  });
}

/** Right also where nothing was counted: `start` is then where the new entry was appended. */
function withOneMore({ window, start, calls }: Counted): Counted {
  return { window, start, calls: calls + 1 };
}

function isFull({ window, calls }: Counted): boolean {
  return calls >= window.limit;
}

function admission(counted: readonly Counted[], log: CallLog, nowMs: number): LimitDecision {
  const windows = counted.map((one) => windowState(one, log, nowMs));
  return { admitted: true, windows, refusedBy: null, retryAfterMs: 0 };
}

/** A full window has room for one again when its oldest entry leaves: it never holds too many. */
function refusal(counted: readonly Counted[], log: CallLog, nowMs: number): LimitDecision {
  const windows = counted.map((one) => windowState(one, log, nowMs));
  const refusedBy = windows
    .filter(({ remaining }) => remaining === 0)
    .reduce((longest, state) => (state.resetMs > longest.resetMs ? state : longest));
  return { admitted: false, windows, refusedBy, retryAfterMs: refusedBy.resetMs };
}

function windowState({ window, start, calls }: Counted, log: CallLog, nowMs: number): WindowState {
  return {
    name: window.name,
    windowMs: window.windowMs,
    limit: window.limit,
    remaining: window.limit - calls,
    resetMs: calls === 0 ? 0 : untilGoneMs(window, log, start, nowMs),
  };
}

/** Rounded up to whole milliseconds: whoever waits that long finds the entry gone. */
function untilGoneMs(window: Window, log: CallLog, index: number, nowMs: number): number {
  // in this order a call counted just now is exactly one window away, whatever its fraction
  return Math.ceil(numberAt(log, index) - nowMs + window.windowMs);
}

function append(log: CallLog, nowMs: number): void {
  const last = log.length - 2;
  if (last >= 0 && numberAt(log, last) >= nowMs) log[last + 1] = numberAt(log, last + 1) + 1;
  else log.push(nowMs, 1);
}

/**
 * Drops what no window sees and joins entries of one cell, in place. Entries that different windows
 * see never join: the older may hold calls from a longer cell, and the younger's time would bring
 * them back into the shorter window.
 */
function tidy(windows: readonly Window[], log: CallLog, firstLive: number, nowMs: number): void {
  let end = 0;
  let endCellMs = 0;
  for (let index = firstLive; index < log.length; index += 2) {
    const timeMs = numberAt(log, index);
    const cellMs = cellLengthMs(windows, nowMs - timeMs);
    const joins =
      cellMs > 0 &&
      cellMs === endCellMs &&
      Math.floor(numberAt(log, end - 2) / cellMs) === Math.floor(timeMs / cellMs);
    const calls = numberAt(log, index + 1) + (joins ? numberAt(log, end - 1) : 0);
    if (!joins) end += 2;
    log[end - 2] = timeMs;
    log[end - 1] = calls;
    endCellMs = cellMs;
  }
  log.length = end;
}

/** 0 while an exact window sees an entry of this age. */
function cellLengthMs(windows: readonly Window[], ageMs: number): number {
  const seeing = windows.filter(({ windowMs }) => windowMs > ageMs);
  if (seeing.some(({ limit }) => limit <= EXACT_LIMIT)) return 0;
  return (seeing[0]?.windowMs ?? 0) / CELLS;
}

/** Every index used lies inside the log; the 0 only satisfies the type. */
function numberAt(log: CallLog, index: number): number {
  return log[index] ?? 0;
}
