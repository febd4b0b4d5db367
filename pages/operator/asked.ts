import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { currentLanguage } from "../shared/texts.ts";
import { ask, type Denied } from "./api.ts";

/** How often somebody has signed in here: whatever was refused in between is asked again. */
export const SignIns = createContext(0);

export interface Asked<T> {
  /** The newest answer to this question, which stays while the next one is on its way. */
  readonly answer: T | null;
  /** The answer to the question before, until this one is answered or refused. */
  readonly former: T | null;
  readonly problem: Denied | null;
  readonly isLoading: boolean;
  readonly again: () => void;
}

/** What /admin answers at a path, in words of the page's language; null asks nothing, another version asks again. */
export function useAsked<T>(path: string | null, version = 0): Asked<T> {
  const load = (signal: AbortSignal) => ask<T>("GET", path ?? "", undefined, signal);
  return useLoaded(path === null ? null : load, String(path), `${version} ${currentLanguage()}`);
}

interface Outcome<T> {
  /** What was asked for; undefined: nothing yet. */
  readonly about?: string;
  readonly answer: T | null;
  readonly problem: Denied | null;
}

/**
 * What `load` brings: at first, when `about` or the version changes, when it is asked for again and
 * after a sign-in. Null loads nothing. What comes late is dropped.
 */
export function useLoaded<T>(
  load: ((signal: AbortSignal) => Promise<T>) | null,
  about: string,
  version = "",
): Asked<T> {
  const signIns = useContext(SignIns);
  const [times, setTimes] = useState(0);
  const [last, setLast] = useState<Outcome<T>>({ answer: null, problem: null });
  const [isAsking, setAsking] = useState(false);
  useEffect(() => {
    if (load === null) return;
    const asking = new AbortController();
    const { signal } = asking;
    setAsking(true);
    load(signal)
      .then(
        (found) => {
          if (!signal.aborted) setLast({ about, answer: found, problem: null });
        },
        (problem: Denied) => {
          if (signal.aborted) return;
          setLast((before) => ({
            about,
            answer: before.about === about ? before.answer : null,
            problem,
          }));
        },
      )
      .finally(() => {
        if (!signal.aborted) setAsking(false);
      });
    return () => asking.abort();
  }, [about, version, times, signIns]);
  const again = () => setTimes((before) => before + 1);
  const isLoading = load !== null && (isAsking || last.about !== about);
  if (last.about === about) return { ...last, former: null, isLoading, again };
  return { answer: null, former: last.answer, problem: null, isLoading, again };
}

/** The value once it has not changed for a moment: for what is typed. */
export function useSettled<T>(value: T, ms = 250): T {
  const [settled, settle] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => settle(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

/** `tokens?q=a&limit=50`; what is empty or null is left out. */
export function pathWith(
  path: string,
  query: Readonly<Record<string, string | number | null | undefined>>,
): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") given.set(name, String(value));
  }
  const text = given.toString();
  if (text === "") return path;
  return `${path}${path.includes("?") ? "&" : "?"}${text}`;
}
