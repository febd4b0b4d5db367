import type { Cells } from "./cells.ts";

/** Lets one thread at a time through. Held for microseconds, and never across an await. */
export interface Lock {
  enter(): void;
  leave(): void;
}

const FREE = 0;
const HELD = 1;
/** Held, and somebody may be asleep. */
const AWAITED = 2;

const doNothing = (): void => undefined;

/**
 * A futex, as in U. Drepper's "Futexes are tricky" (mutex 2): 0.02 µs where nobody else is inside.
 * Memory that no other thread can see needs none. A thread that dies inside would keep the others
 * out for ever, but no thread dies alone: with it the process ends.
 */
export function createLock(cells: Cells, name: string): Lock {
  const word = cells.ints(name, 1);
  if (!(word.buffer instanceof SharedArrayBuffer)) return { enter: doNothing, leave: doNothing };
  return {
    enter() {
      if (Atomics.compareExchange(word, 0, FREE, HELD) === FREE) return;
      while (Atomics.exchange(word, 0, AWAITED) !== FREE) Atomics.wait(word, 0, AWAITED);
    },
    leave() {
      if (Atomics.exchange(word, 0, FREE) === AWAITED) Atomics.notify(word, 0, 1);
    },
  };
}
