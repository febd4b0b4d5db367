import type { LimitDecision, WindowState } from "../core/ports.ts";
import {
  admission,
  EXACT_LIMIT,
  MAX_WINDOWS,
  refusal,
  SPANS,
  type Window,
  windowState,
} from "./decisions.ts";
import { type MemoryLogs, NO_ENTRY } from "./memory-logs.ts";

export interface SlidingWindows {
  /** Counts so many calls in `log`, or nothing if a window has no room for all of them. */
  take(log: MemoryLogs, nowMs: number, calls?: number): LimitDecision;
  peek(log: MemoryLogs, nowMs: number): LimitDecision;
  /** Takes back calls that were counted at this time, unless they have left all windows. */
  release(log: MemoryLogs, nowMs: number, countedMs: number, calls: number): void;
  /** A call this old is in no window any more. */
  readonly maxWindowMs: number;
}

/** What one window counts: its number of entries, the newest ones, and the time of the oldest. */
interface Counted {
  readonly window: Window;
  readonly entries: number;
  readonly calls: number;
  readonly oldestMs: number;
}

/**
 * A window overlaps at most 65 grid spans, and an exact one holds 64 entries: at most 65 entries per
 * window after compaction. Compaction starts at 1.5 times that, so at least 32 calls per window share
 * its cost. Every call walks its log: when all logs were compacted at 520 entries, that took 6 µs of a
 * token's call, now 3.
 */
function maxEntriesOf(windows: number): number {
  return Math.floor(1.5 * windows * (SPANS + 1));
}

/** A log takes 5 kB at most, whatever the limits are. */
export const MAX_LOG_ENTRIES = maxEntriesOf(MAX_WINDOWS);

/**
 * Admits at most the limit of each window in any period of its length. `windows` are shortest first,
 * at least one.
 */
export function createSlidingWindows(windows: readonly Window[]): SlidingWindows {
  const maxWindowMs = windows.at(-1)?.windowMs ?? 0;
  const newestSpanMs = spanMsAt(windows, 0);
  const maxEntries = maxEntriesOf(windows.length);

  return {
    take(log, nowMs, calls = 1) {
      const counted = countCalls(windows, log, nowMs);
      if (counted.some((one) => !hasRoom(one, calls))) return refuse(counted, calls, log, nowMs);
      const goneEntries = log.length() - (counted.at(-1)?.entries ?? 0);
      const joined = addCalls(log, nowMs, newestSpanMs, calls);
      if (goneEntries * 2 < log.length() && log.length() <= maxEntries) {
        return admission(
          counted.map((one) => stateWith(one, calls, nowMs, joined)),
          nowMs,
        );
      }
      compact(windows, log, goneEntries, nowMs);
      return admission(statesOf(countCalls(windows, log, nowMs), nowMs), nowMs);
    },
    peek(log, nowMs) {
      const counted = countCalls(windows, log, nowMs);
      return counted.every((one) => hasRoom(one, 1))
        ? admission(statesOf(counted, nowMs))
        : refuse(counted, 1, log, nowMs);
    },
    release(log, nowMs, countedMs, calls) {
      if (countedMs > nowMs - maxWindowMs) releaseCalls(log, countedMs, calls);
    },
    maxWindowMs,
  };
}

/**
 * One pass from the newest entry back: each longer window continues where the shorter one ended. Plain
 * loops, because a closure over `oldestMs` put a number on the heap for each entry, a tenth of all
 * memory that a call took.
 */
function countCalls(windows: readonly Window[], log: MemoryLogs, nowMs: number): Counted[] {
  const counted: Counted[] = [];
  let entry = log.newest();
  let entries = 0;
  let calls = 0;
  let oldestMs = 0;
  for (const window of windows) {
    const goneMs = nowMs - window.windowMs;
    while (entry !== NO_ENTRY) {
      const timeMs = log.timeMs(entry);
      if (timeMs <= goneMs) break;
      if (log.calls(entry) > 0) oldestMs = timeMs;
      calls += log.calls(entry);
      entries += 1;
      entry = log.before(entry);
    }
    counted.push({ window, entries, calls, oldestMs });
  }
  return counted;
}

function hasRoom({ window, calls }: Counted, more: number): boolean {
  return calls + more <= window.limit;
}

function statesOf(counted: readonly Counted[], nowMs: number): WindowState[] {
  return counted.map(({ window, calls, oldestMs }) =>
    windowState(window, calls, calls === 0 ? 0 : untilGoneMs(window, oldestMs, nowMs)),
  );
}

/** With the calls just counted, which are the oldest if they are alone in their window. */
function stateWith(
  { window, entries, calls, oldestMs }: Counted,
  more: number,
  nowMs: number,
  joined: boolean,
): WindowState {
  const areOldest = calls === 0 || (entries === 1 && joined);
  return windowState(
    window,
    calls + more,
    untilGoneMs(window, areOldest ? nowMs : oldestMs, nowMs),
  );
}

function refuse(
  counted: readonly Counted[],
  calls: number,
  log: MemoryLogs,
  nowMs: number,
): LimitDecision {
  const waitsMs = counted.map((one) => waitMs(one, calls, log, nowMs));
  return refusal(statesOf(counted, nowMs), waitsMs);
}

/** Until so many more calls have room: as many as are too many must have left. */
function waitMs(counted: Counted, more: number, log: MemoryLogs, nowMs: number): number {
  const { window, calls, oldestMs } = counted;
  if (hasRoom(counted, more)) return 0;
  if (more > window.limit) return Number.POSITIVE_INFINITY;
  if (calls + more - window.limit === 1) return untilGoneMs(window, oldestMs, nowMs);
  let entry = log.newest();
  let newer = log.calls(entry);
  while (newer + more <= window.limit) {
    entry = log.before(entry);
    newer += log.calls(entry);
  }
  return untilGoneMs(window, log.timeMs(entry), nowMs);
}

/** Rounded up to whole milliseconds, so that after such a wait the entry is gone. */
function untilGoneMs(window: Window, timeMs: number, nowMs: number): number {
  // in this order a call counted just now is exactly one window away, without a rounding error
  return Math.ceil(timeMs - nowMs + window.windowMs);
}

/** True if the calls joined the newest entry: same moment, or same span if all windows share entries. */
function addCalls(log: MemoryLogs, nowMs: number, spanMs: number, calls: number): boolean {
  const newest = log.newest();
  const newestMs = newest === NO_ENTRY ? Number.NEGATIVE_INFINITY : log.timeMs(newest);
  const joins = newestMs >= nowMs || isSameSpan(newestMs, nowMs, spanMs);
  if (joins) log.addToNewest(Math.max(newestMs, nowMs), calls);
  else log.append(nowMs, calls);
  return joins;
}

/**
 * Drops expired entries and merges those of one span. Never merges entries that different windows
 * see: the older calls would get the younger time and re-enter the shorter window.
 */
function compact(
  windows: readonly Window[],
  log: MemoryLogs,
  goneEntries: number,
  nowMs: number,
): void {
  const entries = newestEntries(log, log.length() - goneEntries);
  log.empty();
  let newestMs = Number.NEGATIVE_INFINITY;
  let newestSpanMs = 0;
  for (const { timeMs, calls } of entries.reverse()) {
    const spanMs = spanMsAt(windows, nowMs - timeMs);
    const joins = spanMs === newestSpanMs && isSameSpan(newestMs, timeMs, spanMs);
    if (joins) log.addToNewest(timeMs, calls);
    else log.append(timeMs, calls);
    newestMs = timeMs;
    newestSpanMs = spanMs;
  }
}

function newestEntries(log: MemoryLogs, length: number): { timeMs: number; calls: number }[] {
  let entry = log.newest();
  return Array.from({ length }, () => {
    const copy = { timeMs: log.timeMs(entry), calls: log.calls(entry) };
    entry = log.before(entry);
    return copy;
  });
}

/** They are in the oldest entry that is not older, as long as any window sees them. */
function releaseCalls(log: MemoryLogs, countedMs: number, calls: number): void {
  let found = NO_ENTRY;
  let entry = log.newest();
  while (entry !== NO_ENTRY && log.timeMs(entry) >= countedMs) {
    found = entry;
    entry = log.before(entry);
  }
  if (found !== NO_ENTRY) log.removeCalls(found, Math.min(calls, log.calls(found)));
}

/** Length of the spans whose calls share an entry at this age; 0 while an exact window sees them. */
function spanMsAt(windows: readonly Window[], ageMs: number): number {
  const seeing = windows.filter(({ windowMs }) => windowMs > ageMs);
  if (seeing.some(({ limit }) => limit <= EXACT_LIMIT)) return 0;
  return (seeing[0]?.windowMs ?? 0) / SPANS;
}

function isSameSpan(aMs: number, bMs: number, spanMs: number): boolean {
  return spanMs > 0 && Math.floor(aMs / spanMs) === Math.floor(bMs / spanMs);
}
