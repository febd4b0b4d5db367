import type { Clock, LimitDecision, LimitEntry } from "../../core/ports.ts";
import type { Window } from "../decisions.ts";
import { type Beside, createOwnCounts } from "./own-counts.ts";
import { AWAY, type RunNow, type SharedStore } from "./store.ts";
import type { AgedCalls, StoreWindows } from "./store-windows.ts";

export interface AloneOptions {
  readonly store: SharedStore;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** Without the store calls are refused, instead of counted by each copy for itself. */
  readonly refusesAlone: boolean;
}

/** Calls of one bucket. */
export interface BucketCalls {
  readonly bucket: string;
  readonly windows: readonly Window[];
  readonly calls: number;
}

/** Decides while the store is away, and brings it what it has missed. */
export interface Alone {
  take(counted: BucketCalls): LimitDecision;
  /** For calls that the store decides, as long as other copies may not be back; null later. */
  takeBeside(counted: BucketCalls): Beside | null;
  peek(bucket: string, windows: readonly Window[]): LimitDecision;
  /** By an entry of such a decision. */
  release(counted: BucketCalls, entry: LimitEntry): void;
  /** The store decided too, but too late: this copy's decision stands, and the store learns of it. */
  reconcile(counted: BucketCalls, mine: LimitDecision, late: LimitDecision): Promise<void>;
}

/** The store is back within seconds or stays away for long; clients retry soon. */
const RETRY_MS = 1_000;
const STORE_AWAY: LimitDecision = {
  admitted: false,
  storeAway: true,
  windows: [],
  refusedBy: null,
  retryAfterMs: RETRY_MS,
  entry: null,
};
/** Marks entries of this copy's own; what the store names is a number. */
const OWN = "own ";

export function createAlone(shared: StoreWindows, options: AloneOptions): Alone {
  const { store, clock, refusesAlone } = options;
  const own = createOwnCounts(clock, () => store.copies());

  const aged = (timesMs: readonly number[], calls: readonly number[]): readonly AgedCalls[] => {
    const nowMs = clock.monotonicMs();
    return timesMs
      .map((timeMs, index) => ({ ageMs: nowMs - timeMs, calls: calls[index] ?? 0 }))
      .filter((entry) => entry.calls > 0);
  };

  store.onReturn((runNow) => {
    own.returned();
    return own.pending.drain(async (bucket, { windows, timesMs, calls }) => {
      const entries = aged(timesMs, calls);
      return entries.length === 0 || (await shared.add(runNow, bucket, windows, entries)) !== AWAY;
    });
  });

  return {
    take({ bucket, windows, calls }) {
      if (refusesAlone) return STORE_AWAY;
      const decision = own.take(bucket, windows, calls);
      return decision.entry === null
        ? soonIfItFits(decision, windows, calls)
        : { ...decision, entry: `${OWN}${decision.entry}` };
    },
    takeBeside({ bucket, windows, calls }) {
      const beside = own.takeBeside(bucket, windows, calls);
      if (beside === null) return null;
      return { ...beside, decision: soonIfItFits(beside.decision, windows, calls) };
    },
    peek: (bucket, windows) => (refusesAlone ? STORE_AWAY : own.peek(bucket, windows)),
    release: ({ bucket, windows, calls }, entry) =>
      own.release(bucket, windows, timeOf(entry), calls),
    async reconcile({ bucket, windows, calls }, mine, late) {
      if (!mine.admitted) {
        if (late.entry !== null) await shared.release(bucket, Number(late.entry), calls);
        return;
      }
      const timeMs = timeOf(mine.entry);
      const run: RunNow = (script, keys, args) => store.run(script, keys, args);
      const isKnown =
        late.admitted || (await shared.add(run, bucket, windows, aged([timeMs], [calls]))) !== AWAY;
      if (isKnown) own.pending.remove(bucket, timeMs, calls);
    },
  };
}

/** More calls than this copy's part alone will have room when the store is back. */
function soonIfItFits(
  decision: LimitDecision,
  windows: readonly Window[],
  calls: number,
): LimitDecision {
  const fits = windows.every(({ limit }) => calls <= limit);
  const isNever = decision.retryAfterMs === Number.POSITIVE_INFINITY;
  return fits && isNever ? { ...decision, retryAfterMs: RETRY_MS } : decision;
}

/** Of an entry of this copy's own. */
function timeOf(entry: LimitEntry | null): number {
  return Number(String(entry).slice(OWN.length));
}
