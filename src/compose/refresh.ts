import type { Clock } from "../core/ports.ts";
import type { RoutingStore, RoutingTable } from "../core/routing/routing.ts";

/** How long a change by another process may stay unseen. */
const REFRESH_MS = 250;
/** How long a call waits while the table is read again: then it takes the one that is known. */
const MAX_REREAD_MS = 100;

export interface RefreshOptions<T> {
  readonly store: RoutingStore;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly apply: (table: RoutingTable) => T;
  /** The database is away; what was known holds. */
  readonly onError: (error: unknown) => void;
  readonly onUnreadable: (names: readonly string[]) => void;
}

export interface Refresh<T> {
  /** What was applied last; read again first if that was a while ago. */
  now(): T | Promise<T>;
  known(): T;
  /** Changes through this one are seen at once. */
  readonly store: RoutingStore;
}

const NOTHING: RoutingTable = { version: 0, upstreams: [], unreadable: [], routes: [] };

/** Applies each version of the table once. */
export async function createRefresh<T>(options: RefreshOptions<T>): Promise<Refresh<T>> {
  const { store, clock, apply, onError, onUnreadable } = options;
  let applied = apply(NOTHING);
  let version = NOTHING.version;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<T> | null = null;

  const read = async (): Promise<T> => {
    try {
      const newest = await store.version();
      if (newest !== version) {
        const table = await store.read();
        applied = apply(table);
        version = table.version;
        if (table.unreadable.length > 0) onUnreadable(table.unreadable);
      }
    } catch (error) {
      onError(error);
    } finally {
      reading = null;
    }
    return applied;
  };
  const now = (): T | Promise<T> => {
    const nowMs = clock.monotonicMs();
    if (nowMs - readAtMs >= REFRESH_MS) {
      readAtMs = nowMs;
      reading ??= read();
    }
    return reading === null ? applied : soon(reading, () => applied);
  };
  const changing =
    <A extends readonly unknown[], R>(change: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      const result = await change(...given);
      await (reading ?? undefined);
      readAtMs = clock.monotonicMs();
      reading ??= read();
      await reading;
      return result;
    };
  await read();
  return {
    now,
    known: () => applied,
    store: {
      ...store,
      addUpstream: changing(store.addUpstream),
      changeUpstream: changing(store.changeUpstream),
      removeUpstream: changing(store.removeUpstream),
      setRoute: changing(store.setRoute),
      removeRoute: changing(store.removeRoute),
    },
  };
}

function soon<T>(latest: Promise<T>, known: () => T): Promise<T> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(known()), MAX_REREAD_MS);
    void latest.then((value) => {
      clearTimeout(late);
      resolve(value);
    });
  });
}
