import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { ask, type Denied } from "../api.ts";
import { pathWith, SignIns } from "../asked.ts";
import { usePulse } from "../pulse.ts";
import type { CallsPage } from "./call.ts";
import { type Tail, tailOf, withNewer, withOlder } from "./tail.ts";

const POLL_MS = 2_000;
const PAGE_ROWS = 100;

/** Calls under a path with filters, and those that come while it is live and seen. */
export function useTail(path: string, mayBeLive: boolean) {
  const signIns = useContext(SignIns);
  const [tail, setTail] = useState<Tail | null>(null);
  const [problem, setProblem] = useState<Denied | null>(null);
  const [isWanted, setWanted] = useState(true);
  const [reloads, setReloads] = useState(0);
  const isLive = isWanted && mayBeLive;
  const beats = usePulse(POLL_MS, isLive && problem === null);
  /** The question on its way: there is one at a time. */
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
  const reload = () => setReloads((before) => before + 1);

  useEffect(() => {
    void load({}, (page) => setTail(tailOf(page)));
    return () => asking.current?.abort();
  }, [path, signIns, reloads]);

  useEffect(() => {
    if (tail === null || asking.current !== null || !isLive) return;
    void load({ after: tail.newest }, (page) => {
      const grown = tail.newest === null ? tailOf(page) : withNewer(tail, page);
      if (grown === null) reload();
      else setTail(grown);
    });
  }, [beats]);

  return {
    tail,
    problem,
    isLive,
    reload,
    setLive: (wanted: boolean) => {
      setWanted(wanted);
      if (wanted) reload();
    },
    showOlder: () => {
      if (tail === null || tail.next === null) return;
      asking.current?.abort();
      setWanted(false);
      void load({ cursor: tail.next }, (page) => setTail(withOlder(tail, page)));
    },
  };
}
