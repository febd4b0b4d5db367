/** The shared store as the server opens it, for tests over a real Redis. */
import { onTestFinished } from "vitest";
import { systemClock } from "../../src/clock.ts";
import {
  openStore,
  type StoreOptions,
  type WatchedStore,
} from "../../src/limits/shared/availability.ts";
import { connect, type StoreAddress } from "../../src/limits/shared/connection.ts";
import { createKey } from "../../src/limits/shared/store.ts";
import type { Trouble } from "../../src/limits/shared/trouble.ts";

/** What is said of the store while a test runs. */
export interface StoreEvents {
  readonly away: Trouble[];
  readonly back: number[];
  /** How long each decision took; null where the store did not decide. */
  readonly decisions: (number | null)[];
}

export interface TestStore {
  readonly store: WatchedStore;
  readonly events: StoreEvents;
}

export interface TestStoreOptions extends Partial<StoreAddress> {
  readonly port?: number;
  readonly prefix?: string;
  readonly beat?: StoreOptions["beat"];
  readonly otherwiseCopies?: StoreOptions["otherwiseCopies"];
}

/** Closed after the test. */
export async function openTestStore(options: TestStoreOptions): Promise<TestStore> {
  const {
    port = 0,
    prefix = "parley:test:",
    beat = pingBeat(prefix),
    otherwiseCopies = () => 1,
  } = options;
  const events: StoreEvents = { away: [], back: [], decisions: [] };
  const address: StoreAddress = {
    target: options.target ?? { host: "127.0.0.1", port, tls: false },
    username: options.username ?? null,
    password: options.password ?? null,
    db: options.db ?? 0,
    ca: options.ca ?? null,
  };
  const store = await openStore({
    connect: (onLost) => connect(address, onLost),
    beat,
    key: createKey(prefix),
    clock: systemClock,
    otherwiseCopies,
    onAway: (trouble) => events.away.push(trouble),
    onBack: (awayMs) => events.back.push(awayMs),
    onDecision: (tookMs) => events.decisions.push(tookMs),
  });
  onTestFinished(() => store.close());
  return { store, events };
}

/** The least that a beat can do: a write. */
function pingBeat(prefix: string): StoreOptions["beat"] {
  return {
    script: { name: "ping", lua: 'return redis.call("SET", KEYS[1], ARGV[1], "PX", 5000)' },
    keys: [`${prefix}beat:{beat}`],
    args: () => [1],
    leave: () => [0],
    read: () => undefined,
    copies: () => null,
  };
}
