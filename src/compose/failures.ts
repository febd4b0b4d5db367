import type { Clock } from "../core/ports.ts";
import { describeError, type Log, type LogFields } from "../log.ts";
import { type StorageProblem, storageProblem } from "../storage/driver/storage-errors.ts";

/** What the log says about an error. A database's has its cause in words and the driver's own code. */
export function describeFailure(error: unknown): LogFields {
  const problem = storageProblem(error);
  return problem === null ? describeError(error) : describeProblem(problem);
}

export function describeProblem({ cause, words, code, errcode }: StorageProblem): LogFields {
  return { cause, reason: words, driver_code: code ?? undefined, errcode: errcode ?? undefined };
}

/** Calls refused for one cause may be thousands a second. */
const EVERY_MS = 1_000;

/** Logs why calls are refused for the database: at most once a second, with their number since then. */
export function createStorageAlarm(log: Log, clock: Pick<Clock, "monotonicMs">) {
  let calls = 0;
  let loggedMs = Number.NEGATIVE_INFINITY;
  return (error: unknown): void => {
    calls += 1;
    const nowMs = clock.monotonicMs();
    if (nowMs - loggedMs < EVERY_MS) return;
    log.error("calls refused", { calls, ...describeFailure(error) });
    loggedMs = nowMs;
    calls = 0;
  };
}
