import { randomInt } from "node:crypto";
import { floatAt, intAt } from "./array-access.ts";

/** Gives each bucket a small number, its slot, and knows which was used longest ago. */
export interface BucketTable {
  /** NO_SLOT if the bucket has none. */
  find(bucket: string): number;
  /** The bucket must have no slot and the table must not be full. It becomes the newest. */
  add(bucket: string): number;
  /** Makes a slot the newest. */
  touch(slot: number): void;
  remove(slot: number): void;
  /** NO_SLOT if the table is empty. */
  oldest(): number;
  isFull(): boolean;
}

/** Slots count from 1, so that arrays of zeros say "none". */
export const NO_SLOT = 0;

/**
 * Numbers in typed arrays, not strings in a Map. A Map rebuilds its table again and again while
 * keys come and go, and V8 keeps the discarded tables until a full collection: a Map that never
 * holds more than ten keys grew the process by 140 MB over a million addresses. Here a bucket takes
 * 28 bytes, untouched capacity takes none, and no text cut from a request header is kept.
 */
export function createBucketTable(capacity: number, seed = randomInt(1, 2 ** 32)): BucketTable {
  const chains = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2, capacity))));
  const nextInChain = new Int32Array(capacity + 1);
  const hashes = new Float64Array(capacity + 1);
  const ring = createUseRing(capacity);
  let everUsed = 0;
  let firstFreed = NO_SLOT;

  const chainOf = (hash: number): number => hash & (chains.length - 1);

  const claimSlot = (): number => {
    if (firstFreed === NO_SLOT) {
      everUsed += 1;
      return everUsed;
    }
    const slot = firstFreed;
    firstFreed = intAt(nextInChain, slot);
    return slot;
  };

  const unchain = (slot: number): void => {
    const chain = chainOf(floatAt(hashes, slot));
    if (intAt(chains, chain) === slot) {
      chains[chain] = intAt(nextInChain, slot);
      return;
    }
    let before = intAt(chains, chain);
    while (intAt(nextInChain, before) !== slot) before = intAt(nextInChain, before);
    nextInChain[before] = intAt(nextInChain, slot);
  };

  return {
    find(bucket) {
      const hash = hashOf(bucket, seed);
      let slot = intAt(chains, chainOf(hash));
      while (slot !== NO_SLOT && floatAt(hashes, slot) !== hash) slot = intAt(nextInChain, slot);
      return slot;
    },
    add(bucket) {
      const hash = hashOf(bucket, seed);
      const slot = claimSlot();
      hashes[slot] = hash;
      nextInChain[slot] = intAt(chains, chainOf(hash));
      chains[chainOf(hash)] = slot;
      ring.enter(slot);
      return slot;
    },
    touch(slot) {
      ring.leave(slot);
      ring.enter(slot);
    },
    remove(slot) {
      ring.leave(slot);
      unchain(slot);
      nextInChain[slot] = firstFreed;
      firstFreed = slot;
    },
    oldest: () => ring.oldest(),
    isFull: () => everUsed === capacity && firstFreed === NO_SLOT,
  };
}

/** Slots in order of use, as a ring with 0 between the newest and the oldest. */
function createUseRing(capacity: number) {
  const newer = new Int32Array(capacity + 1);
  const older = new Int32Array(capacity + 1);
  return {
    enter(slot: number): void {
      const before = intAt(older, 0);
      older[slot] = before;
      newer[slot] = 0;
      newer[before] = slot;
      older[0] = slot;
    },
    leave(slot: number): void {
      newer[intAt(older, slot)] = intAt(newer, slot);
      older[intAt(newer, slot)] = intAt(older, slot);
    },
    oldest: (): number => intAt(newer, 0),
  };
}

/**
 * cyrb53 (public domain, github.com/bryc/code): 53 bits, so among a million addresses the chance
 * that any two share their limits is 1 in 18,000. Seeded, so that nobody can choose addresses that
 * fall into one chain.
 */
function hashOf(text: string, seed: number): number {
  let low = 0xdeadbeef ^ seed;
  let high = 0x41c6ce57 ^ seed;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 2654435761);
    high = Math.imul(high ^ code, 1597334677);
  }
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  return 2 ** 32 * (high & 0x1fffff) + (low >>> 0);
}
