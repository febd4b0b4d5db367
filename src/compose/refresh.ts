import type { Clock } from "../core/ports.ts";
import type { RoutingStore, RoutingTable } from "../core/routing/routing.ts";

/** How long a change by another process may stay unseen. */
const REFRESH_MS = 250;
/** How long calls wait while the table is read again: then all take the one that is known. */
const MAX_REREAD_MS = 100;
/** How often it is said that the database is away. */
const SAY_EVERY_MS = 10_000;

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
  /** The same for calls, until it takes too long. */
  let waiting: Promise<T> | null = null;

  const say = onceInAWhile(onError, clock);
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
      say(error);
    } finally {
      reading = null;
      waiting = null;
    }
    return applied;
  };
  const begin = (): Promise<T> => {
    if (reading !== null) return reading;
    readAtMs = clock.monotonicMs();
    reading = read();
    waiting = soon(reading, () => {
      waiting = null;
      return applied;
    });
    return reading;
  };
  const now = (): T | Promise<T> => {
    if (clock.monotonicMs() - readAtMs >= REFRESH_MS) void begin();
    return waiting ?? applied;
  };
  const changing =
    <A extends readonly unknown[], R>(change: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      const result = await change(...given);
      await (reading ?? undefined);
      await begin();
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

function onceInAWhile(
  onError: (error: unknown) => void,
  clock: Pick<Clock, "monotonicMs">,
): (error: unknown) => void {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    const nowMs = clock.monotonicMs();
    if (nowMs - saidAtMs < SAY_EVERY_MS) return;
    saidAtMs = nowMs;
    onError(error);
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
