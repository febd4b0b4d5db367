import { randomFillSync } from "node:crypto";

const timeCharacters = 10;
/** Two numbers of 32 bits, seven base-32 characters each. */
const randomWords = 2;
const wordCharacters = 7;

/** Fills with random bytes; the tests give their own. */
export type FillRandom = (words: Uint32Array) => void;

/** 256 ids' worth at once: a call into the random generator costs more than the bytes. */
const poolWords = 256 * randomWords;

/**
 * Ids that sort by time, so that an index grows at its end: 50 bits of milliseconds and 64 random
 * bits, in lower-case base 32.
 */
export function createIds(fillRandom: FillRandom = randomFillSync): (wallMs: number) => string {
  const pool = new Uint32Array(poolWords);
  let used = poolWords;
  const word = () => (pool[used++] ?? 0).toString(32).padStart(wordCharacters, "0");
  return (wallMs) => {
    if (used === poolWords) {
      fillRandom(pool);
      used = 0;
    }
    return Math.trunc(wallMs).toString(32).padStart(timeCharacters, "0") + word() + word();
  };
}
