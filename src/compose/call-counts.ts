import { type CountBook, createCountBook } from "../metrics/count-book.ts";
import type { Storage } from "../storage/open.ts";
import { runPeriodically } from "../storage/periodic.ts";

/** As much is lost if the process is killed. */
const WRITE_EVERY_MS = 10_000;

export interface LiveCounts extends CountBook {
  /** Writes at once: the process may be killed before its open answers end. */
  drain(): void;
  close(): Promise<void>;
}

/** Counts of calls over all instances, written until it is closed. */
export function composeCallCounts({
  callCounts,
  clock,
}: Pick<Storage, "callCounts" | "clock">): LiveCounts {
  const book = createCountBook(callCounts, clock);
  // that the database is away is said by the heartbeat; what it did not take is kept
  const unheard = () => undefined;
  const stop = runPeriodically(book.write, WRITE_EVERY_MS, unheard);
  return {
    ...book,
    drain: () => void book.write().catch(unheard),
    async close() {
      await stop();
      await book.write().catch(unheard);
    },
  };
}
