import type { LimitDecision } from "../../core/ports.ts";
import { admission, EXACT_LIMIT, refusal, type Window, windowState } from "../decisions.ts";
import { STORE_TIME } from "./script-time.ts";
import { AWAY, type Away, type Reply, type RunNow, type SharedStore } from "./store.ts";
import { ADD, RELEASE, TAKE } from "./windows-script.ts";

/** Calls that a copy counted by itself: how old they are when they are sent, and how many. */
export interface AgedCalls {
  readonly ageMs: number;
  readonly calls: number;
}

export interface TakeOptions {
  readonly calls: number;
  /** False: only looks whether they would be admitted. */
  readonly counts: boolean;
  /** Gets the decision that came too late. */
  readonly onLate?: (decision: LimitDecision) => void;
}

/** The windows of all buckets of one kind, as the store counts them. An entry is a time of the store. */
export interface StoreWindows {
  take(
    bucket: string,
    windows: readonly Window[],
    options: TakeOptions,
  ): Promise<LimitDecision | Away>;
  release(bucket: string, entry: number, calls: number): Promise<Reply | Away>;
  /** Over the limits if need be. Oldest first. */
  add(
    run: RunNow,
    bucket: string,
    windows: readonly Window[],
    entries: readonly AgedCalls[],
  ): Promise<Reply | Away>;
}

const US_PER_MS = 1_000;
const VALUES_PER_WINDOW = 3;
/** The time, and whether it was admitted. */
const VALUES_BEFORE = 2;

/** `nowUs` is for tests: 0 stands for the time of the store. */
export function createStoreWindows(
  store: SharedStore,
  kind: string,
  nowUs: () => number = () => STORE_TIME,
): StoreWindows {
  const argumentsOf = new WeakMap<readonly Window[], readonly number[]>();
  const windowArguments = (windows: readonly Window[]): readonly number[] => {
    const known = argumentsOf.get(windows);
    if (known !== undefined) return known;
    const lengths = windows.flatMap(({ windowMs, limit }) => [windowMs * US_PER_MS, limit]);
    const made = [maskOf(windows), ...lengths];
    argumentsOf.set(windows, made);
    return made;
  };
  const keysOf = (bucket: string) => [store.key(kind, bucket)];

  return {
    async take(bucket, windows, { calls, counts, onLate }) {
      const args = [nowUs(), calls, counts ? 1 : 0, ...windowArguments(windows)];
      const late = onLate && {
        onLate: (reply: Reply) => onLate(decisionOf(windows, reply, counts)),
      };
      const reply = await store.run(TAKE, keysOf(bucket), args, late);
      return reply === AWAY ? AWAY : decisionOf(windows, reply, counts);
    },
    release: (bucket, entry, calls) => store.run(RELEASE, keysOf(bucket), [nowUs(), entry, calls]),
    add(run, bucket, windows, entries) {
      const aged = entries.flatMap(({ ageMs, calls }) => [Math.floor(ageMs * US_PER_MS), calls]);
      return run(ADD, keysOf(bucket), [nowUs(), maskOf(windows), ...aged]);
    },
  };
}

/** As the scripts name windows. */
function maskOf(windows: readonly Window[]): number {
  const bits = { second: 1, minute: 2, hour: 4, day: 8 };
  const exact = 16;
  return windows.reduce(
    (mask, { name, limit }) =>
      mask | (limit <= EXACT_LIMIT ? bits[name] * (1 + exact) : bits[name]),
    0,
  );
}

/** Rounded up to whole milliseconds, so that after such a wait it is so. */
function decisionOf(windows: readonly Window[], reply: Reply, counted: boolean): LimitDecision {
  const values = Array.isArray(reply) ? reply.map(Number) : [];
  const at = (window: number, index: number): number =>
    values[VALUES_BEFORE + window * VALUES_PER_WINDOW + index] ?? 0;
  const states = windows.map((window, index) =>
    windowState(window, at(index, 0), Math.ceil(at(index, 1) / US_PER_MS)),
  );
  const [admitted, nowUs = 0] = values;
  if (admitted === 1) return admission(states, counted ? nowUs : null);
  const waitsMs = windows.map((_, index) => {
    const waitUs = at(index, 2);
    return waitUs < 0 ? Number.POSITIVE_INFINITY : Math.ceil(waitUs / US_PER_MS);
  });
  return refusal(states, waitsMs);
}
