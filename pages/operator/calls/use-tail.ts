import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { ask, type Denied } from "../api.ts";
import { pathWith, SignIns } from "../asked.ts";
import { usePulse } from "../pulse.ts";
import type { CallsPage } from "./call.ts";
import { type Tail, tailOf, withNewer, withOlder } from "./tail.ts";

const POLL_MS = 2_000;
const PAGE_ROWS = 100;
/** A page of rare calls may be short: so many are looked for unasked, in so many pages. */
const MIN_ROWS = 20;
const MAX_SEARCHES = 20;

/** Calls under a path with filters, and those that come while it is live and seen. */
export function useTail(path: string, mayBeLive: boolean) {
  const signIns = useContext(SignIns);
  const [tail, setTail] = useKept<Tail>(path);
  const [isWanted, setWanted] = useState(true);
  const [reloads, setReloads] = useState(0);
  const { load, problem, asking } = useCallPages(path);
  const newest = useRef<string | null>(null);
  const searches = useRef(0);
  const isLive = isWanted && mayBeLive;
  const beats = usePulse(POLL_MS, isLive && (problem === null || mayPass(problem)));
  const reload = () => setReloads((before) => before + 1);

  useEffect(() => {
    searches.current = 0;
    void load({}, (page) => {
      newest.current = page.newest;
      setTail(tailOf(page));
    });
    return () => asking.current?.abort();
  }, [path, signIns, reloads]);

  useEffect(() => {
    if (asking.current !== null || !isLive) return;
    if (tail === null) return reload();
    void load({ after: newest.current }, (page) => {
      newest.current = page.newest;
      const grown = withNewer(tail, page);
      if (grown === null) reload();
      else setTail(grown);
    });
  }, [beats]);

  const showOlder = () => {
    if (tail === null || tail.next === null) return;
    asking.current?.abort();
    void load({ cursor: tail.next }, (page) => setTail(withOlder(tail, page)));
  };
  const isSearching = isThin(tail) && searches.current < MAX_SEARCHES;
  useEffect(() => {
    if (!isSearching) return;
    searches.current += 1;
    showOlder();
  }, [tail]);

  return {
    tail,
    problem,
    isLive,
    isSearching,
    reload,
    setLive: (wanted: boolean) => {
      setWanted(wanted);
      if (wanted) reload();
    },
    showOlder: () => {
      setWanted(false);
      showOlder();
    },
  };
}

/** The server is away or busy: a tail that is watched goes on when it is back. */
function mayPass({ status }: Denied): boolean {
  return status === 0 || status >= 500;
}

function isThin(tail: Tail | null): boolean {
  return tail !== null && tail.next !== null && tail.rows.length < MIN_ROWS;
}

/** What belongs to a path is nothing under another one. */
function useKept<T>(path: string) {
  const [kept, keep] = useState<{ readonly path: string; readonly value: T | null }>();
  const value = kept?.path === path ? kept.value : null;
  return [value, (next: T | null) => keep({ path, value: next })] as const;
}

/** One question at a time. */
function useCallPages(path: string) {
  const [problem, setProblem] = useKept<Denied>(path);
  const asking = useRef<AbortController | null>(null);
  const load = (query: Parameters<typeof pathWith>[1], take: (page: CallsPage) => void) => {
    const mine = new AbortController();
    asking.current = mine;
    const { signal } = mine;
    return ask<CallsPage>("GET", pathWith(path, { limit: PAGE_ROWS, ...query }), undefined, signal)
      .then(
        (page) => {
          if (signal.aborted) return;
          setProblem(null);
          take(page);
        },
        (denied: Denied) => {
          if (!signal.aborted) setProblem(denied);
        },
      )
      .finally(() => {
        if (asking.current === mine) asking.current = null;
      });
  };
  return { load, problem, asking };
}
