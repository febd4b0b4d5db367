import type { MaybePromise } from "../../core/maybe-promise.ts";
import type { Clock, LimitDecision, LimitEntry } from "../../core/ports.ts";
import type { Window } from "../decisions.ts";
import { createOwnCounts } from "./own-counts.ts";
import { AWAY, type RunNow, type SharedStore } from "./store.ts";
import { type AgedCalls, createStoreWindows } from "./store-windows.ts";

export interface SharedCountsOptions {
  readonly store: SharedStore;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** Without the store calls are refused, instead of counted by each copy for itself. */
  readonly refusesAlone: boolean;
  /** For tests: microseconds in place of the store's time, 0 for the store's. */
  readonly nowUs?: () => number;
}

/** Windows of the buckets of one kind, counted over all copies. Windows are at least one. */
export interface SharedCounts {
  take(bucket: string, windows: readonly Window[], calls: number): MaybePromise<LimitDecision>;
  peek(bucket: string, windows: readonly Window[]): MaybePromise<LimitDecision>;
  release(
    bucket: string,
    windows: readonly Window[],
    entry: LimitEntry,
    calls: number,
  ): MaybePromise<void>;
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

export function createSharedCounts(kind: string, options: SharedCountsOptions): SharedCounts {
  const { store, clock, refusesAlone } = options;
  const shared = createStoreWindows(store, kind, options.nowUs);
  const own = createOwnCounts(clock, () => store.copies());

  const aged = (timesMs: readonly number[], calls: readonly number[]): readonly AgedCalls[] => {
    const nowMs = clock.monotonicMs();
    return timesMs
      .map((timeMs, index) => ({ ageMs: nowMs - timeMs, calls: calls[index] ?? 0 }))
      .filter((entry) => entry.calls > 0);
  };
  const add = async (
    run: RunNow,
    bucket: string,
    windows: readonly Window[],
    entries: readonly AgedCalls[],
  ): Promise<boolean> =>
    entries.length === 0 || (await shared.add(run, bucket, windows, entries)) !== AWAY;

  store.onReturn((runNow) => {
    own.returned();
    return own.pending.drain((bucket, { windows, timesMs, calls }) =>
      add(runNow, bucket, windows, aged(timesMs, calls)),
    );
  });

  const takeAlone = (bucket: string, windows: readonly Window[], calls: number): LimitDecision => {
    if (refusesAlone) return STORE_AWAY;
    const decision = own.take(bucket, windows, calls);
    if (decision.entry !== null) return { ...decision, entry: `${OWN}${decision.entry}` };
    return withWait(decision, windows, calls);
  };

  /** The store decided too, but too late: this copy's decision stands. */
  const reconcile = async (
    call: { readonly bucket: string; readonly windows: readonly Window[]; readonly calls: number },
    mine: LimitDecision,
    late: LimitDecision,
  ): Promise<void> => {
    const { bucket, windows, calls } = call;
    if (!mine.admitted) {
      if (late.entry !== null) await shared.release(bucket, Number(late.entry), calls);
      return;
    }
    const timeMs = timeOf(mine.entry);
    const run: RunNow = (script, keys, args) => store.run(script, keys, args);
    const isKnown = late.admitted || (await add(run, bucket, windows, aged([timeMs], [calls])));
    if (isKnown) own.pending.remove(bucket, timeMs, calls);
  };

  const takeShared = async (
    bucket: string,
    windows: readonly Window[],
    calls: number,
  ): Promise<LimitDecision> => {
    const beside = own.takeBeside(bucket, windows, calls);
    if (beside?.decision.entry === null) return withWait(beside.decision, windows, calls);
    const alone = Promise.withResolvers<LimitDecision>();
    const decision = await shared.take(bucket, windows, {
      calls,
      counts: true,
      onLate(late) {
        void alone.promise.then((mine) => reconcile({ bucket, windows, calls }, mine, late));
      },
    });
    if (decision === AWAY || !decision.admitted) beside?.giveBack();
    if (decision !== AWAY) return decision;
    const mine = takeAlone(bucket, windows, calls);
    alone.resolve(mine);
    return mine;
  };

  return {
    take: (bucket, windows, calls) =>
      store.isAway() ? takeAlone(bucket, windows, calls) : takeShared(bucket, windows, calls),
    async peek(bucket, windows) {
      const decision = await shared.take(bucket, windows, { calls: 1, counts: false });
      if (decision !== AWAY) return decision;
      return refusesAlone ? STORE_AWAY : own.peek(bucket, windows);
    },
    async release(bucket, windows, entry, calls) {
      if (typeof entry === "number") await shared.release(bucket, entry, calls);
      else own.release(bucket, windows, timeOf(entry), calls);
    },
  };
}

/** More than this copy's part alone will have room when the store decides again. */
function withWait(
  refused: LimitDecision,
  windows: readonly Window[],
  calls: number,
): LimitDecision {
  const fits = windows.every(({ limit }) => calls <= limit);
  const isNever = refused.retryAfterMs === Number.POSITIVE_INFINITY;
  return fits && isNever ? { ...refused, retryAfterMs: RETRY_MS } : refused;
}

/** Of an entry of this copy's own. */
function timeOf(entry: LimitEntry | null): number {
  return Number(String(entry).slice(OWN.length));
}
