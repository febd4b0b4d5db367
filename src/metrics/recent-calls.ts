import type { CallRecord, Clock, LimitDecision } from "../core/ports.ts";
import { httpStatus } from "../http/reply/http-status.ts";

const MINUTE_MS = 60_000;
const MINUTES_PER_HOUR = 60;
const HOURS = 24;
const MINUTES = HOURS * MINUTES_PER_HOUR;
/** Of the newest answers. */
const FIRST_TOKENS = 1_024;
/** Failures of the last minutes tell whether something is wrong now. */
const FAILING_MINUTES = 5;
const MIN_CALLS_TO_JUDGE = 10;
const FAILING_SHARE = 0.2;
const SERVER_FAULT = 500;
const PERCENTILE = 0.95;

const kinds = ["answered", "failed", "refused"] as const;
type Kind = (typeof kinds)[number];

export interface HourOfCalls extends Readonly<Record<Kind, number>> {
  /** Its beginning; milliseconds since 1970. */
  readonly at: number;
}

export interface RecentCalls {
  readonly call: (record: CallRecord) => void;
  readonly decision: (decision: Pick<LimitDecision, "admitted">) => void;
  /** The last 24 hours, oldest first. */
  hours(): readonly HourOfCalls[];
  /** Whether a fifth of at least ten calls of the last five minutes failed by our or the service's fault. */
  isFailing(): boolean;
  /** Milliseconds; null before the first answer. */
  firstToken(): { readonly median: number; readonly p95: number } | null;
}

/** What this process has seen, in 30 KB that never grow: counts per minute, and first tokens. */
export function createRecentCalls({ wallMs }: Pick<Clock, "wallMs">): RecentCalls {
  const counts = new Uint32Array(MINUTES * kinds.length);
  /** Which minute a slot is about. */
  const minutes = new Float64Array(MINUTES);
  const firstTokens = new Float64Array(FIRST_TOKENS);
  let seen = 0;

  const add = (kind: number): void => {
    const minute = Math.floor(wallMs() / MINUTE_MS);
    const slot = minute % MINUTES;
    if (minutes[slot] !== minute) {
      minutes[slot] = minute;
      counts.fill(0, slot * kinds.length, (slot + 1) * kinds.length);
    }
    const at = slot * kinds.length + kind;
    counts[at] = (counts[at] ?? 0) + 1;
  };
  const sum = (from: number, to: number) => {
    const sums = { answered: 0, failed: 0, refused: 0 };
    for (let minute = from; minute < to; minute += 1) {
      const slot = minute % MINUTES;
      if (minutes[slot] !== minute) continue;
      for (const [index, kind] of kinds.entries()) {
        sums[kind] += counts[slot * kinds.length + index] ?? 0;
      }
    }
    return sums;
  };

  return {
    call({ outcome, error, firstTokenMs }) {
      if (outcome === "refused") return add(kinds.indexOf("refused"));
      // what the client or its key got wrong says nothing of the server
      const isFailed = error !== null && httpStatus[error] >= SERVER_FAULT;
      add(kinds.indexOf(isFailed ? "failed" : "answered"));
      if (firstTokenMs === null) return;
      firstTokens[seen % FIRST_TOKENS] = firstTokenMs;
      seen += 1;
    },
    decision({ admitted }) {
      if (!admitted) add(kinds.indexOf("refused"));
    },
    hours() {
      const now = Math.floor(wallMs() / MINUTE_MS);
      const last = Math.floor(now / MINUTES_PER_HOUR);
      return Array.from({ length: HOURS }, (_, index) => {
        const from = (last - HOURS + 1 + index) * MINUTES_PER_HOUR;
        return { at: from * MINUTE_MS, ...sum(from, from + MINUTES_PER_HOUR) };
      });
    },
    isFailing() {
      const now = Math.floor(wallMs() / MINUTE_MS);
      const { answered, failed } = sum(now - FAILING_MINUTES + 1, now + 1);
      const calls = answered + failed;
      return calls >= MIN_CALLS_TO_JUDGE && failed >= calls * FAILING_SHARE;
    },
    firstToken() {
      const known = firstTokens.slice(0, Math.min(seen, FIRST_TOKENS)).sort();
      if (known.length === 0) return null;
      const at = (share: number) => Math.round(known[Math.ceil(known.length * share) - 1] ?? 0);
      return { median: at(0.5), p95: at(PERCENTILE) };
    },
  };
}
