import { ask } from "../api.ts";
import { useLoaded } from "../asked.ts";

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
  const { answer, ...rest } = useLoaded(meetCopies, "copies");
  return { copies: answer ?? [], ...rest };
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
