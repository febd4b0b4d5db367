import { intAt } from "./array-access.ts";

/** Numbers of blocks, in chains that are read from their newest block back. */
export interface BlockPool {
  free(): number;
  /** A block that comes after another (NO_BLOCK for the first of a chain). One must be free. */
  claim(after: number): number;
  before(block: number): number;
  /** Gives back a chain, by its newest block. */
  release(newest: number): void;
}

export const NO_BLOCK = 0;

const USED = 0;
const FREE = 1;
const FIRST_FREE = 2;

/** Blocks count from 1, so that 0 can say "none" in arrays that start as zeros. */
export function createBlockPool(blocks: number): BlockPool {
  const before = new Int32Array(blocks + 1);
  /** Blocks ever used, those of them that are free, and the first of these. */
  const state = new Int32Array(3);
  const add = (index: number, amount: number): void => {
    state[index] = intAt(state, index) + amount;
  };
  const next = (): number => {
    const freed = intAt(state, FIRST_FREE);
    if (freed === NO_BLOCK) {
      add(USED, 1);
      return intAt(state, USED);
    }
    state[FIRST_FREE] = intAt(before, freed);
    add(FREE, -1);
    return freed;
  };
  return {
    free: () => blocks - intAt(state, USED) + intAt(state, FREE),
    claim(after) {
      const block = next();
      before[block] = after;
      return block;
    },
    before: (block) => intAt(before, block),
    release(newest) {
      let block = newest;
      while (block !== NO_BLOCK) {
        const older = intAt(before, block);
        before[block] = intAt(state, FIRST_FREE);
        state[FIRST_FREE] = block;
        add(FREE, 1);
        block = older;
      }
    },
  };
}
