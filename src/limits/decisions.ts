import type { LimitDecision, LimitEntry, WindowName, WindowState } from "../core/ports.ts";

/** Calls allowed in each window; 0 for no such window. */
export type Limits = Readonly<Record<WindowName, number>>;

export interface Window {
  readonly name: WindowName;
  readonly windowMs: number;
  readonly limit: number;
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

export const MAX_WINDOWS = SHORTEST_FIRST.length;

/**
 * Up to this limit every call keeps its own time, and the window is exact. Calls that only larger
 * windows see share an entry if they came in the same 1/64 of the shortest of those windows: they
 * are released up to 1.6 % late. The spans form a fixed grid, because joining whatever is close would
 * chain entry to entry without end.
 */
export const EXACT_LIMIT = 64;
export const SPANS = 64;

export const UNLIMITED: LimitDecision = {
  admitted: true,
  windows: [],
  refusedBy: null,
  retryAfterMs: 0,
  entry: null,
};

/** The windows that have a limit, shortest first. */
export function windowsOf(limits: Limits): readonly Window[] {
  return SHORTEST_FIRST.filter((name) => limits[name] > 0).map((name) => ({
    name,
    windowMs: LENGTHS_MS[name],
    limit: limits[name],
  }));
}

/** `resetMs`: until the oldest of the calls leaves. More calls than the limit leave nothing, too. */
export function windowState(window: Window, calls: number, resetMs: number): WindowState {
  return {
    name: window.name,
    windowMs: window.windowMs,
    limit: window.limit,
    remaining: Math.max(0, window.limit - calls),
    resetMs,
  };
}

/** `entry`: by which the call just counted can be released. */
export function admission(
  windows: readonly WindowState[],
  entry: LimitEntry | null = null,
): LimitDecision {
  return { admitted: true, windows, refusedBy: null, retryAfterMs: 0, entry };
}

/** `waitsMs`: until each window has room; 0 if it has, and Infinity if it never will. */
export function refusal(
  windows: readonly WindowState[],
  waitsMs: readonly number[],
): LimitDecision {
  const retryAfterMs = Math.max(...waitsMs);
  const refusedBy = windows[waitsMs.indexOf(retryAfterMs)] ?? null;
  return { admitted: false, windows, refusedBy, retryAfterMs, entry: null };
}
