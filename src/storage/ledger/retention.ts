import type { Ledger } from "../../core/accounts/accounts.ts";
import type { Clock } from "../../core/ports.ts";

export interface RetentionOptions {
  readonly ledger: Pick<Ledger, "purge">;
  readonly clock: Pick<Clock, "wallMs">;
  /** How long ledger rows are kept; 0 = for ever. */
  readonly days: number;
  readonly onPurged: (rows: number) => void;
  /** The next day's purge takes what this one left. */
  readonly onError: (error: unknown) => void;
  /** Runs the work again and again; returns how to stop. */
  readonly every?: (ms: number, work: () => void) => () => void;
}

const dayMs = 86_400_000;

/** Deletes ledger rows that are too old, now and each day. Returns how to stop. */
export function startRetention(options: RetentionOptions): () => Promise<void> {
  const { ledger, clock, days, onPurged, onError, every = timer } = options;
  if (days === 0) return async () => undefined;
  let purging: Promise<void> | null = null;
  const purge = () => {
    purging ??= ledger
      .purge(clock.wallMs() - days * dayMs)
      .then(onPurged, onError)
      .finally(() => {
        purging = null;
      });
  };
  purge();
  const stop = every(dayMs, purge);
  return async () => {
    stop();
    await purging;
  };
}

/** Does not keep the process alive. */
function timer(ms: number, work: () => void): () => void {
  const running = setInterval(work, ms);
  running.unref();
  return () => clearInterval(running);
}
