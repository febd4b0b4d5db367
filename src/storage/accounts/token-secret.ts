import { hash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

/** Tells a token from an OpenAI key, and lets secret scanners find it. */
export const tokenPrefix = "parley-";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 190 bits. */
const randomCharacters = 32;
/** A 32-bit checksum in base 62: most slips and most other strings are told without a look-up. */
const checkCharacters = 6;
const form = /^parley-[0-9A-Za-z]{38}$/;

export function createTokenSecret(): string {
  let random = "";
  while (random.length < randomCharacters) {
    for (const byte of randomBytes(randomCharacters)) {
      // 248 = 4 x 62: higher bytes would make the first letters likelier.
      if (byte < 248 && random.length < randomCharacters) random += alphabet[byte % 62];
    }
  }
  return tokenPrefix + random + checksum(random);
}

export function isTokenSecret(text: string): boolean {
  if (!form.test(text)) return false;
  const end = text.length - checkCharacters;
  return checksum(text.slice(tokenPrefix.length, end)) === text.slice(end);
}

/** All that is kept of a secret. Taken on every call: 0.6 µs, and 1.3 with createHash. */
export function tokenDigest(secret: string): string {
  return hash("sha256", secret);
}

function checksum(random: string): string {
  let rest = crc32(random);
  let text = "";
  while (text.length < checkCharacters) {
    text = (alphabet[rest % 62] ?? "") + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}
