import { useContext, useEffect, useState } from "preact/hooks";
import { ask, type Denied } from "../api.ts";
import { SignIns } from "../asked.ts";

/** As `GET /admin/doctor/instance` answers. */
export interface Copy {
  readonly instance: string;
  readonly version: string;
  /** A keyed hash of the settings. */
  readonly settings: string;
  /** Alive on this database. */
  readonly instances: number;
  readonly shares_limits: boolean;
  readonly limits_up: boolean;
  readonly database_ms: number | null;
}

/** Enough to meet each of a few copies behind a proxy that takes turns. */
const MAX_QUESTIONS = 12;

/** Asks until each living copy has answered, or often enough. */
export function useCopies() {
  const signIns = useContext(SignIns);
  const [times, setTimes] = useState(0);
  const [copies, setCopies] = useState<readonly Copy[]>([]);
  const [problem, setProblem] = useState<Denied | null>(null);
  const [isLoading, setLoading] = useState(true);
  useEffect(() => {
    const asking = new AbortController();
    const { signal } = asking;
    setLoading(true);
    meetCopies(signal)
      .then(
        (met) => {
          if (signal.aborted) return;
          setCopies(met);
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
  }, [times, signIns]);
  return { copies, problem, isLoading, again: () => setTimes((before) => before + 1) };
}

async function meetCopies(signal: AbortSignal): Promise<readonly Copy[]> {
  const met = new Map<string, Copy>();
  for (let question = 0; question < MAX_QUESTIONS; question += 1) {
    const copy = await ask<Copy>("GET", "doctor/instance", undefined, signal);
    met.set(copy.instance, copy);
    if (met.size >= copy.instances) break;
  }
  return [...met.values()].sort((one, other) => one.instance.localeCompare(other.instance));
}
