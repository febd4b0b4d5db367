import type { Token } from "../core/accounts/accounts.ts";
import { type Window, windowsOf } from "./decisions.ts";

/** Tokens with equal limits share their windows; more kinds than this are made anew. */
const MAX_KINDS = 1_000;

/** What a limiter keeps of the limits of a token. */
export type MakeWindows<T> = (windows: readonly Window[]) => T;

/** Null for a token without limits. */
export function createTokenWindows<T>(make: MakeWindows<T>): (token: Token) => T | null {
  const kinds = new Map<string, T | null>();
  return ({ limits }) => {
    if (Object.keys(limits).length === 0) return null;
    const kind = JSON.stringify(limits);
    const known = kinds.get(kind);
    if (known !== undefined) return known;
    if (kinds.size >= MAX_KINDS) kinds.clear();
    const windows = windowsOf({ second: 0, minute: 0, hour: 0, day: 0, ...limits });
    const made = windows.length === 0 ? null : make(windows);
    kinds.set(kind, made);
    return made;
  };
}
