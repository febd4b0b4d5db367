/** What the week leaves in the hourly counters, by the code that counts real calls. */
import type { LedgerEntry } from "../../../src/core/accounts/accounts.ts";
import type { WindowName, WindowState } from "../../../src/core/ports.ts";
import { createCountBook } from "../../../src/metrics/count-book.ts";
import type { Storage } from "../../../src/storage/open.ts";
import type { Chance } from "./chance.ts";

/** Of all calls, those that the windows of their address refuse; they leave no row. */
const REFUSED = 0.04;

const windows: readonly (WindowState & { readonly weight: number })[] = [
  windowOf("second", 1_000, 2, 20),
  windowOf("minute", 60_000, 12, 65),
  windowOf("hour", 3_600_000, 120, 15),
];

export function createCounters({ callCounts, clock }: Storage, chance: Chance) {
  const book = createCountBook(callCounts, clock);
  return {
    count(entry: LedgerEntry): void {
      book.decision({ admitted: true, refusedBy: null });
      book.call({
        ...entry,
        bucket: "",
        principal: entry.payer.kind,
        streamed: entry.firstTokenMs !== null,
        refusedBy: entry.error === "rate_limited" ? "minute" : undefined,
      });
      if (!chance.isIn(REFUSED)) return;
      book.decision({ admitted: false, refusedBy: chance.pick(windows) });
    },
    write: book.write,
  };
}

function windowOf(name: WindowName, windowMs: number, limit: number, weight: number) {
  return { name, windowMs, limit, remaining: 0, resetMs: windowMs, weight };
}
