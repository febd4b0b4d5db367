import type { Clock } from "../../core/ports.ts";
import { NOT_A_MEMBER, type SetMember, UnorderedSet } from "../../core/unordered-set.ts";
import { LEASE_MS, LEAVE, RENEW } from "./leases-script.ts";
import { STORE_TIME } from "./script-time.ts";
import { AWAY, type RunNow, type Script, type SharedStore } from "./store.ts";

/** How often leases are renewed. Two renewals may fail before a lease ends. Milliseconds. */
export const RENEW_MS = 10_000;
/** A lease that is younger waits for the next time: most answers are over by then. */
const YOUNG_MS = RENEW_MS / 2;
/** Scripts that are sent before the next ones wait for their replies, and leases in one of them. */
const MAX_AT_ONCE = 100;
const MAX_IN_SCRIPT = 100;
/** Leases that are over and may be in the store all the same; those beyond end by themselves. */
const MAX_LOST = 10_000;

/** One open thing of this copy. */
export interface OpenLease extends SetMember {
  readonly key: string;
  /** Its name in the store. */
  readonly id: string;
  /** By this copy's clock: when the store was last asked to keep it. Milliseconds. */
  renewedAtMs: number;
  stored: Stored;
}

/** Whether the store has a lease; "perhaps" if a script was sent and its reply did not come. */
export type Stored = "yes" | "perhaps" | "no";

/** Every lease of this copy, for those who grant them. */
export interface LeaseBook {
  open(key: string, id: string, stored: Stored): OpenLease;
  /** Takes it out of the store, too; nobody waits for that. */
  close(lease: OpenLease): void;
  /** A lease that was refused here, though the store may have granted it. */
  lose(key: string, id: string): void;
  /** To be called every RENEW_MS. Leases that the store has lost are added again, over any limit. */
  renew(): Promise<void>;
  /** Takes lost leases out of the store now. */
  sweep(): Promise<void>;
}

interface LostLease {
  readonly key: string;
  readonly id: string;
  readonly lostAtMs: number;
}

export function createLeaseBook(store: SharedStore, clock: Pick<Clock, "monotonicMs">): LeaseBook {
  const leases = new UnorderedSet<OpenLease>();
  let lost: LostLease[] = [];

  const lose: LeaseBook["lose"] = (key, id) => {
    if (lost.length < MAX_LOST) lost.push({ key, id, lostAtMs: clock.monotonicMs() });
  };
  const renewAll = (due: readonly OpenLease[], run: RunNow) => {
    const atMs = clock.monotonicMs();
    return inBatches(due, (key, some) => renewSome(key, some, atMs, run));
  };
  const sweepLost = (run: RunNow) => {
    const endedMs = clock.monotonicMs() - LEASE_MS;
    const present = lost.filter(({ lostAtMs }) => lostAtMs > endedMs);
    lost = [];
    return inBatches(present, async (key, some) => {
      const reply = await run(
        LEAVE,
        [key],
        some.map(({ id }) => id),
      );
      if (reply === AWAY) lost.push(...some);
    });
  };
  const runSoon: RunNow = (script: Script, keys, args) => store.run(script, keys, args);

  store.onReturn(async (runNow) => {
    await sweepLost(runNow);
    await renewAll([...leases], runNow);
  });

  return {
    open(key, id, stored) {
      const lease = { key, id, stored, renewedAtMs: clock.monotonicMs(), index: NOT_A_MEMBER };
      leases.add(lease);
      return lease;
    },
    close(lease) {
      leases.remove(lease);
      const { key, id, stored } = lease;
      if (stored === "no") return;
      if (store.isAway()) return lose(key, id);
      void store.run(LEAVE, [key], [id]).then((reply) => {
        if (reply === AWAY) lose(key, id);
      });
    },
    lose,
    async renew() {
      if (store.isAway()) return;
      const oldMs = clock.monotonicMs() - YOUNG_MS;
      await sweepLost(runSoon);
      const due = [...leases].filter(
        ({ renewedAtMs, stored }) => stored !== "yes" || renewedAtMs <= oldMs,
      );
      await renewAll(due, runSoon);
    },
    sweep: () => sweepLost(runSoon),
  };
}

async function renewSome(
  key: string,
  some: readonly OpenLease[],
  atMs: number,
  run: RunNow,
): Promise<void> {
  // others were closed while earlier batches were under way
  const open = some.filter(({ index }) => index !== NOT_A_MEMBER);
  if (open.length === 0) return;
  for (const lease of open) lease.stored = "perhaps";
  const reply = await run(RENEW, [key], [STORE_TIME, ...open.map(({ id }) => id)]);
  if (reply === AWAY) return;
  for (const lease of open) {
    lease.stored = "yes";
    lease.renewedAtMs = atMs;
  }
}

/** Sends one script for each bucket, so many at once; a bucket with many leases takes several. */
async function inBatches<T extends { readonly key: string }>(
  leases: readonly T[],
  send: (key: string, some: readonly T[]) => Promise<void>,
): Promise<void> {
  const buckets = Object.entries(Object.groupBy(leases, ({ key }) => key));
  const scripts = buckets.flatMap(([key, all = []]) =>
    chunks(all, MAX_IN_SCRIPT).map((some) => ({ key, some })),
  );
  for (const batch of chunks(scripts, MAX_AT_ONCE)) {
    await Promise.all(batch.map(({ key, some }) => send(key, some)));
  }
}

function chunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  const starts = Array.from({ length: Math.ceil(all.length / size) }, (_, at) => at * size);
  return starts.map((start) => all.slice(start, start + size));
}
