import type { Clock, LimitDecision, Limiter } from "../core/ports.ts";
import { createBucketTable, NO_SLOT } from "./bucket-table.ts";
import { type CallLog, createSlidingWindows, type Limits } from "./windows.ts";

/**
 * A million addresses with a call each then cost 21 to 38 MB of resident memory, 47 MB at the peak
 * (Node 26.10); one with a second call within its longest window adds up to 250 bytes, below.
 */
const DEFAULT_MAX_BUCKETS = 524_288;

/** Some 85,000 addresses with five calls each, or 18,000 with fifty. */
const DEFAULT_MAX_LONG_LOG_BYTES = 24 * 2 ** 20;

/** More than the one that a call can add, so that expired buckets become fewer. */
const SWEPT_BUCKETS_PER_CALL = 2;

const UNLIMITED: LimitDecision = { admitted: true, windows: [], refusedBy: null, retryAfterMs: 0 };

export interface MemoryLimiterOptions {
  readonly limits: Limits;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly maxBuckets?: number;
  /** For the logs of more than one entry, together. */
  readonly maxLongLogBytes?: number;
}

/** Counts in this process only. Past a cap the buckets unused for longest are forgotten. */
export function createMemoryLimiter({
  limits,
  clock,
  maxBuckets = DEFAULT_MAX_BUCKETS,
  maxLongLogBytes = DEFAULT_MAX_LONG_LOG_BYTES,
}: MemoryLimiterOptions): Limiter {
  const windows = createSlidingWindows(limits);
  if (windows === null) return { take: () => UNLIMITED, peek: () => UNLIMITED };

  const table = createBucketTable(maxBuckets);
  // A log of one entry, as most are, is kept as two numbers; only longer ones stay arrays.
  const lastTimesMs = new Float64Array(maxBuckets + 1);
  const lastCounts = new Uint32Array(maxBuckets + 1);
  const longLogs: (CallLog | undefined)[] = [undefined];
  let longLogBytes = 0;

  const load = (slot: number): CallLog => {
    if (slot === NO_SLOT) return [];
    return longLogs[slot] ?? [lastTimesMs[slot] ?? 0, lastCounts[slot] ?? 0];
  };

  const save = (slot: number, log: CallLog): void => {
    const isLong = log.length > 2;
    lastTimesMs[slot] = log.at(-2) ?? 0;
    lastCounts[slot] = log.at(-1) ?? 0;
    longLogs[slot] = isLong ? log : undefined;
    if (isLong) longLogBytes += bytesOf(log);
  };

  const forget = (slot: number): void => {
    longLogBytes -= bytesOf(longLogs[slot]);
    longLogs[slot] = undefined;
    table.remove(slot);
  };

  const sweep = (nowMs: number): void => {
    while (longLogBytes > maxLongLogBytes) forget(table.oldest());
    for (let swept = 0; swept < SWEPT_BUCKETS_PER_CALL; swept += 1) {
      const slot = table.oldest();
      if (slot === NO_SLOT || (lastTimesMs[slot] ?? 0) > nowMs - windows.longestMs) return;
      forget(slot);
    }
  };

  const claimSlot = (bucket: string): number => {
    if (table.isFull()) forget(table.oldest());
    return table.add(bucket);
  };

  return {
    take(bucket) {
      const nowMs = clock.monotonicMs();
      sweep(nowMs);
      const known = table.find(bucket);
      const log = load(known);
      longLogBytes -= bytesOf(longLogs[known]);
      const decision = windows.take(log, nowMs);
      if (known !== NO_SLOT) table.touch(known);
      save(known === NO_SLOT ? claimSlot(bucket) : known, log);
      return decision;
    },
    peek: (bucket) => windows.peek(load(table.find(bucket)), clock.monotonicMs()),
  };
}

/** What V8 allots: headers, and room for half as many numbers again and sixteen. */
function bytesOf(log: CallLog | undefined): number {
  return log === undefined ? 0 : 48 + 8 * (16 + 1.5 * log.length);
}
