import type { Ledger } from "../../core/accounts/accounts.ts";
import type { Clock } from "../../core/ports.ts";
import { runPeriodically } from "../periodic.ts";

export interface RetentionOptions {
  readonly ledger: Pick<Ledger, "purge">;
  readonly clock: Pick<Clock, "wallMs">;
  /** How long ledger rows are kept; 0 = forever. */
  readonly days: number;
  readonly onPurged: (rows: number) => void;
  /** The next day's purge deletes what this one left. */
  readonly onError: (error: Error) => void;
}

const DAY_MS = 86_400_000;

/** Deletes ledger rows that are too old, now and every day. Returns how to stop. */
export function startRetention(options: RetentionOptions): () => Promise<void> {
  const { ledger, clock, days, onPurged, onError } = options;
  if (days === 0) return async () => undefined;
  const purge = async () => onPurged(await ledger.purge(clock.wallMs() - days * DAY_MS));
  const first = purge().catch(onError);
  const stop = runPeriodically(purge, DAY_MS, onError);
  return async () => {
    await first;
    await stop();
  };
}
