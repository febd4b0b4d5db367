import { randomFillSync } from "node:crypto";

const alphabet = "0123456789abcdefghijklmnopqrstuv";
const timeCharacters = 10;
const randomCharacters = 14;

/** Random bytes; the tests give their own. */
export type FillRandom = (bytes: Uint8Array) => void;

/** 256 ids' worth at once: a call into the random generator costs more than the bytes. */
const poolBytes = 256 * randomCharacters;

/**
 * Ids that sort by time, so that an index grows at its end: 50 bits of milliseconds and 70 random
 * bits, in lower-case base 32.
 */
export function createIds(fillRandom: FillRandom = randomFillSync): (wallMs: number) => string {
  const pool = new Uint8Array(poolBytes);
  let used = poolBytes;
  return (wallMs) => {
    if (used === poolBytes) {
      fillRandom(pool);
      used = 0;
    }
    let id = Math.trunc(wallMs).toString(32).padStart(timeCharacters, "0");
    for (let at = used; at < used + randomCharacters; at++) {
      id += alphabet[(pool[at] ?? 0) & 31];
    }
    used += randomCharacters;
    return id;
  };
}
