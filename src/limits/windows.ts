import type { LimitDecision, WindowName, WindowState } from "../core/ports.ts";
import { type CallLog, NO_ENTRY } from "./call-log.ts";

/** Calls allowed in each window; 0 = no such window. */
export type Limits = Readonly<Record<WindowName, number>>;

export interface SlidingWindows {
  /** Counts one call, or nothing when a window is full. Changes `log` in place. */
  take(log: CallLog, nowMs: number): LimitDecision;
  peek(log: CallLog, nowMs: number): LimitDecision;
  /** A log whose last call is this old counts nowhere. */
  readonly maxWindowMs: number;
}

interface Window {
  readonly name: WindowName;
  readonly windowMs: number;
  readonly limit: number;
}

/** What one window counts: so many of the newest entries, and the time of the oldest of them. */
interface Counted {
  readonly window: Window;
  readonly entries: number;
  readonly calls: number;
  readonly oldestMs: number;
}

const LENGTHS_MS: Readonly<Record<WindowName, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** A call that is older counts nowhere, whatever the limits are. */
export const MAX_WINDOW_MS = LENGTHS_MS.day;

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
 * log has at most 65 entries for each window. It is tidied at half as many again, so that one
 * tidying is paid for by at least 32 calls a window. Every call walks its log: tidied at 520
 * entries, whatever the windows, that took 6 µs of a token's call, now 3.
 */
function maxEntriesOf(windows: number): number {
  return Math.floor(1.5 * windows * (CELLS + 1));
}

/** A log takes 5 kB at most, whatever the limits are. */
export const MAX_LOG_ENTRIES = maxEntriesOf(SHORTEST_FIRST.length);

/** Admits at most `limit` calls in any span of a window's length. Null when nothing is limited. */
export function createSlidingWindows(limits: Limits): SlidingWindows | null {
  const windows = SHORTEST_FIRST.filter((name) => limits[name] > 0).map(
    (name): Window => ({ name, windowMs: LENGTHS_MS[name], limit: limits[name] }),
  );
  const maxWindowMs = windows.at(-1)?.windowMs;
  if (maxWindowMs === undefined) return null;
  const newestCellMs = cellLengthMs(windows, 0);
  const maxEntries = maxEntriesOf(windows.length);

  return {
    take(log, nowMs) {
      const counted = countCalls(windows, log, nowMs);
      if (counted.some(isFull)) return refusal(counted, nowMs);
      const goneEntries = log.length() - (counted.at(-1)?.entries ?? 0);
      const joined = append(log, nowMs, newestCellMs);
      if (goneEntries * 2 < log.length() && log.length() <= maxEntries) {
        return admission(
          counted.map((one) => withOneMore(one, nowMs, joined)),
          nowMs,
        );
      }
      rewrite(log, tidied(windows, liveEntries(log, goneEntries), nowMs));
      return admission(countCalls(windows, log, nowMs), nowMs);
    },
    peek(log, nowMs) {
      const counted = countCalls(windows, log, nowMs);
      return (counted.some(isFull) ? refusal : admission)(counted, nowMs);
    },
    maxWindowMs,
  };
}

/**
 * One pass from the newest entry back: each longer window goes on where the shorter one ended. Plain
 * loops: with a closure over `oldestMs` each entry on the way was a number on the heap, a tenth of
 * all that a call took of memory.
 */
function countCalls(windows: readonly Window[], log: CallLog, nowMs: number): Counted[] {
  const counted: Counted[] = [];
  let place = log.newest();
  let entries = 0;
  let calls = 0;
  let oldestMs = 0;
  for (const window of windows) {
    const goneMs = nowMs - window.windowMs;
    while (place !== NO_ENTRY) {
      const timeMs = log.timeMs(place);
      if (timeMs <= goneMs) break;
      oldestMs = timeMs;
      calls += log.calls(place);
      entries += 1;
      place = log.before(place);
    }
    counted.push({ window, entries, calls, oldestMs });
  }
  return counted;
}

/** A call that is alone came just now, and so did an entry that it joined. */
function withOneMore(
  { window, entries, calls, oldestMs }: Counted,
  nowMs: number,
  joined: boolean,
): Counted {
  const isNewest = entries === 0 || (entries === 1 && joined);
  return { window, entries, calls: calls + 1, oldestMs: isNewest ? nowMs : oldestMs };
}

function isFull({ window, calls }: Counted): boolean {
  return calls >= window.limit;
}

function admission(counted: readonly Counted[], nowMs: number): LimitDecision {
  const windows = counted.map((one) => windowState(one, nowMs));
  return { admitted: true, windows, refusedBy: null, retryAfterMs: 0 };
}

/** A full window has room for one again when its oldest entry leaves: it never holds too many. */
function refusal(counted: readonly Counted[], nowMs: number): LimitDecision {
  const windows = counted.map((one) => windowState(one, nowMs));
  const refusedBy = windows
    .filter(({ remaining }) => remaining === 0)
    .reduce((longest, state) => (state.resetMs > longest.resetMs ? state : longest));
  return { admitted: false, windows, refusedBy, retryAfterMs: refusedBy.resetMs };
}

function windowState({ window, calls, oldestMs }: Counted, nowMs: number): WindowState {
  return {
    name: window.name,
    windowMs: window.windowMs,
    limit: window.limit,
    remaining: window.limit - calls,
    resetMs: calls === 0 ? 0 : untilGoneMs(window, oldestMs, nowMs),
  };
}

/** Rounded up to whole milliseconds: whoever waits that long finds the entry gone. */
function untilGoneMs(window: Window, timeMs: number, nowMs: number): number {
  // in this order a call counted just now is exactly one window away, whatever its fraction
  return Math.ceil(timeMs - nowMs + window.windowMs);
}

/** True where it joined the newest entry: of the same moment, or of the same cell if all windows see one. */
function append(log: CallLog, nowMs: number, cellMs: number): boolean {
  const newest = log.newest();
  const newestMs = newest === NO_ENTRY ? Number.NEGATIVE_INFINITY : log.timeMs(newest);
  const joins = newestMs >= nowMs || (cellMs > 0 && isOneCell(newestMs, nowMs, cellMs));
  if (joins) log.addToNewest(Math.max(newestMs, nowMs));
  else log.append(nowMs, 1);
  return joins;
}

function isOneCell(aMs: number, bMs: number, cellMs: number): boolean {
  return Math.floor(aMs / cellMs) === Math.floor(bMs / cellMs);
}

/** All entries but so many of the oldest, oldest first and flat: [timeMs, calls, timeMs, …]. */
function liveEntries(log: CallLog, goneEntries: number): number[] {
  const entries: number[] = new Array(2 * (log.length() - goneEntries));
  let place = log.newest();
  for (let index = entries.length - 2; index >= 0; index -= 2) {
    entries[index] = log.timeMs(place);
    entries[index + 1] = log.calls(place);
    place = log.before(place);
  }
  return entries;
}

function rewrite(log: CallLog, entries: readonly number[]): void {
  log.empty();
  for (let index = 0; index < entries.length; index += 2) {
    log.append(numberAt(entries, index), numberAt(entries, index + 1));
  }
}

/**
 * Joins entries of one cell, in place. Entries that different windows see never join: the older may
 * hold calls from a longer cell, and the younger's time would bring them back into the shorter
 * window.
 */
function tidied(windows: readonly Window[], entries: number[], nowMs: number): number[] {
  let end = 0;
  let endCellMs = 0;
  for (let index = 0; index < entries.length; index += 2) {
    const timeMs = numberAt(entries, index);
    const cellMs = cellLengthMs(windows, nowMs - timeMs);
    const joins =
      cellMs > 0 && cellMs === endCellMs && isOneCell(numberAt(entries, end - 2), timeMs, cellMs);
    const calls = numberAt(entries, index + 1) + (joins ? numberAt(entries, end - 1) : 0);
    if (!joins) end += 2;
    entries[end - 2] = timeMs;
    entries[end - 1] = calls;
    endCellMs = cellMs;
  }
  entries.length = end;
  return entries;
}

/** 0 while an exact window sees an entry of this age. */
function cellLengthMs(windows: readonly Window[], ageMs: number): number {
  const seeing = windows.filter(({ windowMs }) => windowMs > ageMs);
  if (seeing.some(({ limit }) => limit <= EXACT_LIMIT)) return 0;
  return (seeing[0]?.windowMs ?? 0) / CELLS;
}

/** Every index used lies inside; the 0 only satisfies the type. */
function numberAt(entries: readonly number[], index: number): number {
  return entries[index] ?? 0;
}
