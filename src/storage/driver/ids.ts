import { randomFillSync } from "node:crypto";

/** Half of the time's ten: as many bits as bit operations are exact in. */
const halfCharacters = 5;
const halfTime = 32 ** halfCharacters;
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
  const word = () => inBase32(pool[used++] ?? 0, wordCharacters);
  return (wallMs) => {
    if (used === poolWords) {
      fillRandom(pool);
      used = 0;
    }
    const time =
      inBase32(wallMs / halfTime, halfCharacters) + inBase32(wallMs % halfTime, halfCharacters);
    return time + word() + word();
  };
}

const digits = "0123456789abcdefghijklmnopqrstuv";

/** Of the lowest bits. With toString(32), slow for numbers this large, an id took 1.4 µs, so 0.5. */
function inBase32(bits: number, characters: number): string {
  let text = "";
  for (let shift = 5 * (characters - 1); shift >= 0; shift -= 5) {
    text += digits.charAt((bits >>> shift) & 31);
  }
  return text;
}
