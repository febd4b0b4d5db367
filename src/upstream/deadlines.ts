import type { Clock } from "../core/ports.ts";
import { NOT_A_MEMBER, type SetMember, UnorderedSet } from "../core/unordered-set.ts";

/** How late a deadline may fire. One coarse timer for all calls costs nothing per call. */
const CHECK_EVERY_MS = 100;

/** One call's deadline, moved forward as the call makes progress. */
export interface Deadline {
  /** Expires this many milliseconds from now. */
  move(ms: number): void;
  clear(): void;
}

export interface Deadlines {
  /** Calls `onExpire` once at most: after `firstMs`, which can be moved, or after `totalMs`. */
  start(firstMs: number, totalMs: number, onExpire: () => void): Deadline;
}

/** Puts the deadlines of all calls on one timer, which runs only while there are any. */
export function createDeadlines(clock: Clock): Deadlines {
  const running = new UnorderedSet<Running>();
  let timer: NodeJS.Timeout | null = null;

  const check = () => {
    const nowMs = clock.monotonicMs();
    for (const deadline of running) deadline.check(nowMs);
    if (running.size === 0 && timer !== null) {
      clearInterval(timer);
      timer = null;
    }
  };

  /** A class, because one object per call with its methods on the prototype is the cheapest shape. */
  class Running implements Deadline, SetMember {
    index = NOT_A_MEMBER;
    #atMs: number;
    readonly #lastAtMs: number;
    readonly #onExpire: () => void;

    constructor(firstMs: number, totalMs: number, onExpire: () => void) {
      const nowMs = clock.monotonicMs();
      this.#atMs = nowMs + firstMs;
      this.#lastAtMs = nowMs + totalMs;
      this.#onExpire = onExpire;
    }

    move(ms: number): void {
      this.#atMs = clock.monotonicMs() + ms;
    }

    clear(): void {
      running.remove(this);
    }

    check(nowMs: number): void {
      // the expiry of another one may have cleared this one
      if (this.index === NOT_A_MEMBER || (this.#atMs > nowMs && this.#lastAtMs > nowMs)) return;
      this.clear();
      this.#onExpire();
    }
  }

  return {
    start(firstMs, totalMs, onExpire) {
      if (timer === null) {
        timer = setInterval(check, CHECK_EVERY_MS);
        timer.unref();
      }
      const deadline = new Running(firstMs, totalMs, onExpire);
      running.add(deadline);
      return deadline;
    },
  };
}
