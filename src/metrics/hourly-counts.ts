import type { CallRecord, Clock, LimitDecision } from "../core/ports.ts";
import {
  binCounter,
  counterNames,
  counterOf,
  type HourOfCounts,
  type RefusedBy,
  refusalCounter,
} from "../core/reports/call-counts.ts";
import { binOf } from "../core/reports/first-tokens.ts";
import { isServerFault } from "./recent-calls.ts";

const HOUR_MS = 3_600_000;
/** While the database is away for longer than that, what is older is lost. */
const MAX_UNWRITTEN_HOURS = 24;
const COUNTERS = counterNames.length;

const ANSWERED = counterOf("answered");
const FAILED = counterOf("failed");
const ADMITTED = counterOf("admitted");

export interface HourlyCounts {
  readonly call: (record: CallRecord) => void;
  readonly decision: (decision: Pick<LimitDecision, "admitted" | "refusedBy">) => void;
  /** Copies of what has been counted and not taken. */
  unwritten(): readonly HourOfCounts[];
  /** What was written does not count here any more. */
  take(written: readonly HourOfCounts[]): void;
}

/** What this instance has yet to add to the counts of all, in 14 KB that never grow. */
export function createHourlyCounts({ wallMs }: Pick<Clock, "wallMs">): HourlyCounts {
  const counts = new Int32Array(MAX_UNWRITTEN_HOURS * COUNTERS);
  /** Which hour a slot is about. */
  const hours = new Float64Array(MAX_UNWRITTEN_HOURS);

  const startOf = (hour: number): number => {
    const slot = hour % MAX_UNWRITTEN_HOURS;
    const start = slot * COUNTERS;
    if (hours[slot] !== hour) {
      hours[slot] = hour;
      counts.fill(0, start, start + COUNTERS);
    }
    return start;
  };
  const add = (counter: number, calls: number): void => {
    const at = startOf(Math.floor(wallMs() / HOUR_MS)) + counter;
    counts[at] = (counts[at] ?? 0) + calls;
  };

  return {
    call(record) {
      const { outcome, error, firstTokenMs } = record;
      if (outcome === "refused") {
        // the windows of its address had let it through
        add(ADMITTED, -1);
        return add(refusalCounter(refusalOf(record)), 1);
      }
      add(isServerFault(error) ? FAILED : ANSWERED, 1);
      if (firstTokenMs !== null) add(binCounter(binOf(firstTokenMs)), 1);
    },
    decision({ admitted, refusedBy }) {
      add(admitted ? ADMITTED : refusalCounter(refusedBy?.name ?? "other"), 1);
    },
    unwritten: () =>
      Array.from(hours, (hour, slot) => ({
        hour,
        counts: counts.slice(slot * COUNTERS, (slot + 1) * COUNTERS),
      })).filter((one) => one.counts.some((count) => count !== 0)),
    take(written) {
      for (const { hour, counts: taken } of written) {
        if (hours[hour % MAX_UNWRITTEN_HOURS] !== hour) continue;
        const start = startOf(hour);
        for (let at = 0; at < COUNTERS; at += 1) {
          counts[start + at] = (counts[start + at] ?? 0) - (taken[at] ?? 0);
        }
      }
    },
  };
}

function refusalOf({ error, refusedBy }: CallRecord): RefusedBy {
  switch (error) {
    case "rate_limited":
      return refusedBy ?? "other";
    case "streams_limited":
      return "streams";
    case "tokens_limited":
    case "call_too_large":
      return "tokens";
    case "quota_exceeded":
    case "group_quota_exceeded":
      return "quota";
    default:
      return "other";
  }
}
