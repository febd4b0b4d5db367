import type { LimitDecision, WindowName, WindowState } from "../core/ports.ts";
import { type MemoryLogs, NO_ENTRY } from "./memory-logs.ts";

/** Calls allowed in each window; 0 for no such window. */
export type Limits = Readonly<Record<WindowName, number>>;

export interface SlidingWindows {
  /** Counts one call in `log`, or nothing if a window is full. */
  take(log: MemoryLogs, nowMs: number): LimitDecision;
  peek(log: MemoryLogs, nowMs: number): LimitDecision;
  /** A call this old is in no window any more. */
  readonly maxWindowMs: number;
}

interface Window {
  readonly name: WindowName;
  readonly windowMs: number;
  readonly limit: number;
}

/** What one window counts: its number of entries, the newest ones, and the time of the oldest. */
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

/** An older call is in no window, whatever the limits are. */
export const MAX_WINDOW_MS = LENGTHS_MS.day;

const SHORTEST_FIRST: readonly WindowName[] = ["second", "minute", "hour", "day"];

/**
 * Up to this limit every call keeps its own time, and the window is exact. Calls that only larger
 * windows see share an entry if they came in the same 1/64 of the shortest of those windows: they
 * are released up to 1.6 % late. The spans form a fixed grid, because joining whatever is close would
 * chain entry to entry without end.
 */
const EXACT_LIMIT = 64;
const SPANS = 64;

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
export const MAX_LOG_ENTRIES = maxEntriesOf(SHORTEST_FIRST.length);

/** Admits at most `limit` calls in any period of a window's length. Null if nothing is limited. */
export function createSlidingWindows(limits: Limits): SlidingWindows | null {
  const windows = SHORTEST_FIRST.filter((name) => limits[name] > 0).map(
    (name): Window => ({ name, windowMs: LENGTHS_MS[name], limit: limits[name] }),
  );
  const maxWindowMs = windows.at(-1)?.windowMs;
  if (maxWindowMs === undefined) return null;
  const newestSpanMs = spanMsAt(windows, 0);
  const maxEntries = maxEntriesOf(windows.length);

  return {
    take(log, nowMs) {
      const counted = countCalls(windows, log, nowMs);
      if (counted.some(isFull)) return refusal(counted, nowMs);
      const goneEntries = log.length() - (counted.at(-1)?.entries ?? 0);
      const joined = addCall(log, nowMs, newestSpanMs);
      if (goneEntries * 2 < log.length() && log.length() <= maxEntries) {
        return admission(
          counted.map((one) => withOneMore(one, nowMs, joined)),
          nowMs,
          nowMs,
        );
      }
      compact(windows, log, goneEntries, nowMs);
      return admission(countCalls(windows, log, nowMs), nowMs, nowMs);
    },
    peek(log, nowMs) {
      const counted = countCalls(windows, log, nowMs);
      return counted.some(isFull) ? refusal(counted, nowMs) : admission(counted, nowMs);
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

/** The same with the call just counted, which is the oldest if it is alone in its window. */
function withOneMore(
  { window, entries, calls, oldestMs }: Counted,
  nowMs: number,
  joined: boolean,
): Counted {
  const isNewest = calls === 0 || (entries === 1 && joined);
  return { window, entries, calls: calls + 1, oldestMs: isNewest ? nowMs : oldestMs };
}

function isFull({ window, calls }: Counted): boolean {
  return calls >= window.limit;
}

/** `entry`: the time of the call just counted, by which it can be released. */
function admission(
  counted: readonly Counted[],
  nowMs: number,
  entry: number | null = null,
): LimitDecision {
  const windows = counted.map((one) => windowState(one, nowMs));
  return { admitted: true, windows, refusedBy: null, retryAfterMs: 0, entry };
}

/** A full window has room again when its oldest entry leaves, because it never holds too many. */
function refusal(counted: readonly Counted[], nowMs: number): LimitDecision {
  const windows = counted.map((one) => windowState(one, nowMs));
  const refusedBy = windows
    .filter(({ remaining }) => remaining === 0)
    .reduce((longest, state) => (state.resetMs > longest.resetMs ? state : longest));
  return { admitted: false, windows, refusedBy, retryAfterMs: refusedBy.resetMs, entry: null };
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

/** Rounded up to whole milliseconds, so that after such a wait the entry is gone. */
function untilGoneMs(window: Window, timeMs: number, nowMs: number): number {
  // in this order a call counted just now is exactly one window away, without a rounding error
  return Math.ceil(timeMs - nowMs + window.windowMs);
}

/** True if the call joined the newest entry: same moment, or same span if all windows share entries. */
function addCall(log: MemoryLogs, nowMs: number, spanMs: number): boolean {
  const newest = log.newest();
  const newestMs = newest === NO_ENTRY ? Number.NEGATIVE_INFINITY : log.timeMs(newest);
  const joins = newestMs >= nowMs || isSameSpan(newestMs, nowMs, spanMs);
  if (joins) log.addToNewest(Math.max(newestMs, nowMs), 1);
  else log.append(nowMs, 1);
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

/** Takes back one call that was counted at this time: it is in the oldest entry that is not older. */
export function releaseCall(log: MemoryLogs, countedMs: number): void {
  let found = NO_ENTRY;
  let entry = log.newest();
  while (entry !== NO_ENTRY && log.timeMs(entry) >= countedMs) {
    found = entry;
    entry = log.before(entry);
  }
  if (found !== NO_ENTRY && log.calls(found) > 0) log.removeCall(found);
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
