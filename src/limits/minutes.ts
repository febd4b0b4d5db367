import { type Window, windowsOf } from "./decisions.ts";
import type { MakeWindows } from "./token-windows.ts";

/** What an entry in memory can hold: a higher limit counts as this. */
const MAX_AMOUNT = 2 ** 31 - 1;
/** Buckets with equal limits share their window; more limits than this are made anew. */
const MAX_KINDS = 1_000;

/** The one window of limits over amounts, a minute. */
export function createMinutes<T>(make: MakeWindows<T>): (limit: number) => T {
  const kinds = new Map<number, T>();
  return (limit) => {
    const known = kinds.get(limit);
    if (known !== undefined) return known;
    if (kinds.size >= MAX_KINDS) kinds.clear();
    const made = make(minute(limit));
    kinds.set(limit, made);
    return made;
  };
}

function minute(limit: number): readonly Window[] {
  return windowsOf({ second: 0, minute: Math.min(limit, MAX_AMOUNT), hour: 0, day: 0 });
}
