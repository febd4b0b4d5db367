import { randomInt } from "node:crypto";
import { FIRST_ROOM, floatAt, intAt, longerFloats, longerInts } from "./array-access.ts";

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
  let room = Math.min(capacity, FIRST_ROOM);
  const chains = createChains(room);
  const ring = createUseRing(room);
  let everUsed = 0;
  let firstFreed = NO_SLOT;

  const claimSlot = (): number => {
    const slot = firstFreed;
    if (slot !== NO_SLOT) {
      firstFreed = chains.nextFreed(slot);
      return slot;
    }
    if (everUsed === room) {
      room = capacity;
      chains.grow(room);
      ring.grow(room);
    }
    everUsed += 1;
    return everUsed;
  };

  return {
    find: (bucket) => chains.find(hashOf(bucket, seed)),
    add(bucket) {
      const slot = claimSlot();
      chains.enter(slot, hashOf(bucket, seed));
      ring.enter(slot);
      return slot;
    },
    touch(slot) {
      ring.leave(slot);
      ring.enter(slot);
    },
    remove(slot) {
      ring.leave(slot);
      chains.leave(slot, firstFreed);
      firstFreed = slot;
    },
    oldest: () => ring.oldest(),
    isFull: () => everUsed === capacity && firstFreed === NO_SLOT,
  };
}

/** Slots by the hashes of their buckets. Freed slots are a chain of their own. */
function createChains(room: number) {
  let firsts = new Int32Array(chainsFor(room));
  let nexts = new Int32Array(room + 1);
  let hashes = new Float64Array(room + 1);
  const chainOf = (hash: number): number => hash & (firsts.length - 1);
  const enter = (slot: number, hash: number): void => {
    hashes[slot] = hash;
    nexts[slot] = intAt(firsts, chainOf(hash));
    firsts[chainOf(hash)] = slot;
  };
  return {
    find(hash: number): number {
      let slot = intAt(firsts, chainOf(hash));
      while (slot !== NO_SLOT && floatAt(hashes, slot) !== hash) slot = intAt(nexts, slot);
      return slot;
    },
    enter,
    leave(slot: number, nextFreed: number): void {
      const chain = chainOf(floatAt(hashes, slot));
      if (intAt(firsts, chain) === slot) {
        firsts[chain] = intAt(nexts, slot);
      } else {
        let before = intAt(firsts, chain);
        while (intAt(nexts, before) !== slot) before = intAt(nexts, before);
        nexts[before] = intAt(nexts, slot);
      }
      nexts[slot] = nextFreed;
    },
    nextFreed: (slot: number): number => intAt(nexts, slot),
    /** Only when every slot is in use. */
    grow(newRoom: number): void {
      const inUse = nexts.length - 1;
      firsts = new Int32Array(chainsFor(newRoom));
      nexts = new Int32Array(newRoom + 1);
      hashes = longerFloats(hashes, newRoom + 1);
      for (let slot = 1; slot <= inUse; slot += 1) enter(slot, floatAt(hashes, slot));
    },
  };
}

function chainsFor(room: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, room)));
}

/** Slots in order of use, as a ring with 0 between the newest and the oldest. */
function createUseRing(room: number) {
  let newer = new Int32Array(room + 1);
  let older = new Int32Array(room + 1);
  return {
    grow(newRoom: number): void {
      newer = longerInts(newer, newRoom + 1);
      older = longerInts(older, newRoom + 1);
    },
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
