import type { ErrorCode } from "../core/errors.ts";
import type { CallRecord, Clock } from "../core/ports.ts";
import { httpStatus } from "../http/reply/http-status.ts";

const MINUTE_MS = 60_000;
/** Failures of the last minutes tell whether something is wrong now. */
const FAILING_MINUTES = 5;
const MIN_CALLS_TO_JUDGE = 10;
const FAILING_SHARE = 0.2;
const SERVER_FAULT = 500;

export interface RecentCalls {
  readonly call: (record: Pick<CallRecord, "outcome" | "error">) => void;
  /** Whether a fifth of at least ten calls of the last five minutes failed by our or the service's fault. */
  isFailing(): boolean;
}

/** What clients or their keys got wrong says nothing of the server. */
export function isServerFault(error: ErrorCode | null): boolean {
  return error !== null && httpStatus[error] >= SERVER_FAULT;
}

/** What this process has seen in the last minutes. */
export function createRecentCalls({ wallMs }: Pick<Clock, "wallMs">): RecentCalls {
  const answered = new Uint32Array(FAILING_MINUTES);
  const failed = new Uint32Array(FAILING_MINUTES);
  /** Which minute a slot is about. */
  const minutes = new Float64Array(FAILING_MINUTES);
  const sum = (counts: Uint32Array): number => {
    const oldest = Math.floor(wallMs() / MINUTE_MS) - FAILING_MINUTES + 1;
    return counts.reduce((all, one, slot) => ((minutes[slot] ?? 0) < oldest ? all : all + one), 0);
  };
  return {
    call({ outcome, error }) {
      if (outcome === "refused") return;
      const minute = Math.floor(wallMs() / MINUTE_MS);
      const slot = minute % FAILING_MINUTES;
      if (minutes[slot] !== minute) {
        minutes[slot] = minute;
        answered[slot] = 0;
        failed[slot] = 0;
      }
      const counts = isServerFault(error) ? failed : answered;
      counts[slot] = (counts[slot] ?? 0) + 1;
    },
    isFailing() {
      const bad = sum(failed);
      const calls = bad + sum(answered);
      return calls >= MIN_CALLS_TO_JUDGE && bad >= calls * FAILING_SHARE;
    },
  };
}
