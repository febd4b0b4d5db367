import type { Clock } from "../../core/ports.ts";
import { type Breaker, close, createBreaker } from "../breaker-rules.ts";
import { PHASES } from "./breakers-script.ts";
import type { Reply, SharedStore } from "./store.ts";

/** Words of one target in a reply. */
const WORDS = 5;

/** A target as this copy knows it: by the store, or by itself while that is away. */
export interface KnownTarget extends Breaker {
  /** Successes that the store has not been told. */
  untold: number;
  /** It opened while the store was away. */
  byItself: boolean;
  isAsking: boolean;
}

/** All targets that this copy knows. Bounded by their ids, the operator's. */
export interface BreakerView {
  readonly targets: ReadonlyMap<string, KnownTarget>;
  /** A target that was not known is closed. */
  targetOf(id: string): KnownTarget;
  /** Until the rest is over or the probe is lost; 0 if it is closed. Milliseconds. */
  leftMs(target: KnownTarget): number;
  /** Takes what the store tells of some targets. */
  hear(words: Reply): void;
  /** The same of all targets that are not plainly closed. */
  hearAll(words: Reply): void;
}

export function createBreakerView(
  store: Pick<SharedStore, "isAway">,
  clock: Pick<Clock, "monotonicMs">,
): BreakerView {
  const targets = new Map<string, KnownTarget>();
  const targetOf = (id: string) => {
    const known = targets.get(id);
    if (known !== undefined) return known;
    const breaker = createBreaker(clock.monotonicMs());
    const target = { ...breaker, untold: 0, byItself: false, isAsking: false };
    targets.set(id, target);
    return target;
  };
  const leftMs = ({ phase, untilMs }: KnownTarget) =>
    phase === "closed" ? 0 : Math.max(0, untilMs - clock.monotonicMs());
  const hear = ({ id, phase, row, level, forMs }: Told) => {
    const target = targetOf(id);
    // while the store comes back: it is told of this next
    if (store.isAway() && target.byItself && leftMs(target) > forMs) return;
    if (phase === "closed") closeHere(target);
    else Object.assign(target, { phase, level, untilMs: clock.monotonicMs() + forMs, untold: 0 });
    target.mine &&= phase !== "closed";
    target.row = row;
    target.byItself = false;
  };

  return {
    targets,
    targetOf,
    leftMs,
    hear: (words) => toldIn(words).forEach(hear),
    hearAll(words) {
      const told = toldIn(words);
      const ids = new Set(told.map(({ id }) => id));
      told.forEach(hear);
      // a store that comes back may have lost what it knew
      if (store.isAway()) return;
      for (const [id, target] of targets) if (!ids.has(id)) closeHere(target);
    },
  };
}

/** Successes that the store has not been told; now it will be. */
export function takeUntold(target: KnownTarget): number {
  const { untold } = target;
  target.untold = 0;
  return untold;
}

function closeHere(target: KnownTarget): void {
  if (target.phase !== "closed") close(target);
  target.row = 0;
  target.byItself = false;
}

/** A target as the store knows it. */
interface Told extends Pick<Breaker, "phase" | "row" | "level"> {
  readonly id: string;
  /** As `leftMs`. */
  readonly forMs: number;
}

function toldIn(reply: Reply): readonly Told[] {
  const words = Array.isArray(reply) ? (reply as readonly Reply[]) : [];
  const starts = Array.from({ length: Math.floor(words.length / WORDS) }, (_, at) => at * WORDS);
  return starts.map((start) => {
    const [id, phase, row, level, forMs] = words.slice(start, start + WORDS);
    return {
      id: String(id),
      phase: PHASES[Number(phase)] ?? "closed",
      row: Number(row),
      level: Number(level),
      forMs: Number(forMs),
    };
  });
}
