/** Times of the simulation are microseconds since its beginning. */
export interface Events {
  now(): number;
  /** Runs what is due in the order of time; of one moment, in the order in which it was added. */
  after(us: number, what: () => void): void;
  /** Goes on until that moment, or until nothing is left. */
  runUntil(us: number): void;
}

interface Event {
  readonly atUs: number;
  readonly order: number;
  readonly what: () => void;
}

export function createEvents(): Events {
  const heap: Event[] = [];
  let nowUs = 0;
  let added = 0;
  return {
    now: () => nowUs,
    after(us, what) {
      added += 1;
      push(heap, { atUs: nowUs + us, order: added, what });
    },
    runUntil(us) {
      for (let next = heap[0]; next !== undefined && next.atUs <= us; next = heap[0]) {
        pop(heap);
        nowUs = next.atUs;
        next.what();
      }
      nowUs = us;
    },
  };
}

function isBefore(one: Event, other: Event): boolean {
  return one.atUs < other.atUs || (one.atUs === other.atUs && one.order < other.order);
}

function push(heap: Event[], event: Event): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || isBefore(parent, event)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    const [left, right] = [heap[below], heap[below + 1]];
    if (left === undefined) break;
    if (right !== undefined && isBefore(right, left)) below += 1;
    const least = heap[below];
    if (least === undefined || isBefore(last, least)) break;
    heap[at] = least;
    at = below;
  }
  heap[at] = last;
}

/** The same numbers for the same seed, from 0 up to 1 (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What something waits for: it is called with how to go on. */
export type Step = (goOn: () => void) => void;

/** Runs a generator that yields what it waits for. */
export function runSteps(steps: Generator<Step, void, void>): void {
  const goOn = () => {
    const { done, value } = steps.next();
    if (done !== true) value(goOn);
  };
  goOn();
}
