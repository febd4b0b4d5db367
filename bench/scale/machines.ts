import type { Events, Step } from "./events.ts";

/** Does one thing at a time, as far as its machine has a core to spare. */
export interface Worker {
  /** So much CPU, when it is its turn; how much may be decided then. */
  work(us: number | (() => number)): Step;
  /** CPU used so far. */
  usedUs(): number;
}

interface Queued {
  readonly us: number | (() => number);
  readonly done: () => void;
}

/** Cores that workers share, one piece of work after the other, in turns. */
export function createMachine(events: Events, cores: number): () => Worker {
  let busy = 0;
  const ready: (() => void)[] = [];
  const next = () => {
    if (busy >= cores) return;
    const start = ready.shift();
    if (start === undefined) return;
    busy += 1;
    start();
    next();
  };
  return () => {
    let queue: Queued[] = [];
    let head = 0;
    let isReady = false;
    let usedUs = 0;
    const start = () => {
      const one = queue[head];
      if (one === undefined) throw new RangeError("a worker without work got a core");
      head += 1;
      const us = typeof one.us === "number" ? one.us : one.us();
      events.after(us, () => {
        busy -= 1;
        usedUs += us;
        one.done();
        if (head > 1_000) {
          queue = queue.slice(head);
          head = 0;
        }
        isReady = head < queue.length;
        if (isReady) ready.push(start);
        next();
      });
    };
    return {
      work: (us) => (done) => {
        queue.push({ us, done });
        if (isReady) return;
        isReady = true;
        ready.push(start);
        next();
      },
      usedUs: () => usedUs,
    };
  };
}
