import type { MaybePromise } from "../../core/maybe-promise.ts";
import type { LimitDecision, LimitEntry } from "../../core/ports.ts";
import type { Window } from "../decisions.ts";
import { type AloneOptions, type BucketCalls, createAlone } from "./alone.ts";
import { AWAY } from "./store.ts";
import { createStoreWindows } from "./store-windows.ts";

export interface SharedCountsOptions extends AloneOptions {
  /** For tests: microseconds in place of the store's time, 0 for the store's. */
  readonly nowUs?: () => number;
}

/** Windows of the buckets of one kind, counted over all copies. Windows are at least one. */
export interface SharedCounts {
  take(counted: BucketCalls): MaybePromise<LimitDecision>;
  peek(bucket: string, windows: readonly Window[]): MaybePromise<LimitDecision>;
  release(counted: BucketCalls, entry: LimitEntry): MaybePromise<void>;
}

export function createSharedCounts(kind: string, options: SharedCountsOptions): SharedCounts {
  const shared = createStoreWindows(options.store, kind, options.nowUs);
  const alone = createAlone(shared, options);

  return {
    async take(counted) {
      const { bucket, windows, calls } = counted;
      const beside = alone.takeBeside(counted);
      if (beside?.decision.entry === null) return beside.decision;
      const own = Promise.withResolvers<LimitDecision>();
      const decision = await shared.take(bucket, windows, {
        calls,
        counts: true,
        onLate(late) {
          void own.promise.then((mine) => alone.reconcile(counted, mine, late));
        },
      });
      if (decision === AWAY || !decision.admitted) beside?.giveBack();
      if (decision !== AWAY) return decision;
      const mine = alone.take(counted);
      own.resolve(mine);
      return mine;
    },
    async peek(bucket, windows) {
      const decision = await shared.take(bucket, windows, { calls: 1, counts: false });
      return decision === AWAY ? alone.peek(bucket, windows) : decision;
    },
    async release(counted, entry) {
      if (typeof entry !== "number") alone.release(counted, entry);
      else await shared.release(counted.bucket, entry, counted.calls);
    },
  };
}
