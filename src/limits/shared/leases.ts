import type { Clock, ConcurrencyLimiter, Lease, OpenCallLimiter } from "../../core/ports.ts";
import { createOpenCallLimiter } from "../concurrency.ts";
import { createLeaseBook, type LeaseBook, type Stored } from "./lease-book.ts";
import { COUNT, ENTER } from "./leases-script.ts";
import { STORE_TIME } from "./script-time.ts";
import { AWAY, type SharedStore } from "./store.ts";

/** Limits on open things that all copies share: each open thing is a lease in the store. */
export interface SharedLeases {
  /** Things of one kind, such as streams by address. 0 = counted, but without a bound. */
  limiter(kind: string, limit: number): ConcurrencyLimiter;
  /** The same with a limit that comes with each call. */
  openCalls(kind: string): OpenCallLimiter;
  /** To be called every RENEW_MS. */
  renew: LeaseBook["renew"];
}

export interface LeaseOptions {
  readonly store: SharedStore;
  /** Differs from that of every other copy, and of every earlier run. */
  readonly copyId: string;
  readonly clock: Pick<Clock, "monotonicMs">;
}

const REFUSED: Lease = { entered: false };

/**
 * Exact over all copies: no more than the limit are open at once. A killed copy's leases end within
 * 30 s. While the store is away, this copy holds at most its part of each limit by itself.
 */
export function createSharedLeases({ store, copyId, clock }: LeaseOptions): SharedLeases {
  const book = createLeaseBook(store, clock);
  // what this copy has open, whoever has admitted it
  const own = createOpenCallLimiter();
  let granted = 0;

  const grant = (key: string, limit: number, id: string, stored: Stored): Lease => {
    const inside = own.enter(key, limit);
    if (!inside.entered) {
      if (stored !== "no") book.lose(key, id);
      return REFUSED;
    }
    const lease = book.open(key, id, stored);
    return {
      entered: true,
      // harmless the second time: no other lease has this id
      leave() {
        inside.leave();
        book.close(lease);
      },
    };
  };
  const part = (limit: number) => Math.ceil(limit / store.copies());
  const enterStore = async (key: string, limit: number, id: string): Promise<Lease> => {
    const reply = await store.run(ENTER, [key], [STORE_TIME, limit, id], {
      onLate: () => void book.sweep(),
    });
    if (reply === AWAY) return grant(key, part(limit), id, "perhaps");
    return reply === 1 ? grant(key, 0, id, "yes") : REFUSED;
  };
  const enter = (key: string, limit: number) => {
    granted += 1;
    const id = `${copyId}:${granted.toString(36)}`;
    return store.isAway() ? grant(key, part(limit), id, "no") : enterStore(key, limit, id);
  };

  const count = async (key: string) => {
    const reply = await store.run(COUNT, [key], [STORE_TIME]);
    return typeof reply === "number" ? { open: reply } : own.count(key);
  };

  return {
    limiter: (kind, limit) => ({
      enter: (bucket) => enter(store.key(kind, bucket), limit),
      count: (bucket) => count(store.key(kind, bucket)),
    }),
    openCalls: (kind) => ({
      enter: (holder, limit) => enter(store.key(kind, holder), limit),
      count: (holder) => count(store.key(kind, holder)),
    }),
    renew: book.renew,
  };
}
