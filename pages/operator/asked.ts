import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { ask, type Denied } from "./api.ts";

/** How often somebody has signed in here: whatever was refused in between is asked again. */
export const SignIns = createContext(0);

export interface Asked<T> {
  /** The newest answer, which stays while the next one is on its way. */
  readonly answer: T | null;
  readonly problem: Denied | null;
  readonly isLoading: boolean;
  readonly again: () => void;
}

/** What /admin answers at a path; null asks nothing, another version asks again. */
export function useAsked<T>(path: string | null, version = 0): Asked<T> {
  const load = (signal: AbortSignal) => ask<T>("GET", path ?? "", undefined, signal);
  return useLoaded(path === null ? null : load, `${version} ${path}`);
}

/**
 * What `load` brings: at first, when `about` changes, when it is asked for again and after a sign-in.
 * Null loads nothing. What comes late is dropped.
 */
export function useLoaded<T>(
  load: ((signal: AbortSignal) => Promise<T>) | null,
  about: string,
): Asked<T> {
  const signIns = useContext(SignIns);
  const [times, setTimes] = useState(0);
  const [answer, setAnswer] = useState<T | null>(null);
  const [problem, setProblem] = useState<Denied | null>(null);
  const [isLoading, setLoading] = useState(load !== null);
  useEffect(() => {
    if (load === null) return;
    const asking = new AbortController();
    const { signal } = asking;
    setLoading(true);
    load(signal)
      .then(
        (found) => {
          if (signal.aborted) return;
          setAnswer(found);
          setProblem(null);
        },
        (denied: Denied) => {
          if (!signal.aborted) setProblem(denied);
        },
      )
      .finally(() => {
        if (!signal.aborted) setLoading(false);
      });
    return () => asking.abort();
  }, [about, times, signIns]);
  return { answer, problem, isLoading, again: () => setTimes((before) => before + 1) };
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
