import { createHmac, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { ProxyError } from "../../core/errors.ts";

/**
 * 16 MiB and tens of milliseconds: such a token has 16 characters at least, and a guess must not cost a
 * server much more than whoever sends it.
 */
const COST = { N: 16_384, r: 8, p: 1 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Others wait: guesses from many addresses must take neither all threads nor all memory. */
const MAX_WAITING = 16;
const RETRY_MS = 2_000;

const FORM = /^scrypt\.([\w-]+)\.([\w-]+)$/;

/**
 * Digests of a token that a person chose. Slow, since it may be a phrase that can be guessed, and a key
 * would be no help: it would be in the same database.
 */
export interface SlowDigests {
  make(token: string): Promise<string>;
  /** Whether it has matched before. False: it takes time to find out. */
  isKnown(token: string, digest: string): boolean;
  matches(token: string, digest: string): Promise<boolean>;
  /** Resolves when the same question that is being looked at is answered; null: there is none. */
  underWay(token: string): Promise<unknown> | null;
}

export function createSlowDigests(): SlowDigests {
  /** What is remembered of the right token means nothing outside this process. */
  const key = randomBytes(HASH_BYTES);
  const markOf = (token: string, digest: string) =>
    createHmac("sha256", key).update(`${digest}\0${token}`).digest();
  let known: Buffer | null = null;
  const asked = new Map<string, Promise<unknown>>();
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  /** One after the other. */
  const derive = (token: string, salt: Buffer): Promise<Buffer> => {
    if (waiting >= MAX_WAITING) throw new ProxyError("overloaded", { retryAfterMs: RETRY_MS });
    waiting += 1;
    const derived = last.then(() => derived32(token, salt));
    last = derived.catch(() => undefined).finally(() => (waiting -= 1));
    return derived;
  };
  const check = async (token: string, digest: string): Promise<boolean> => {
    const [, salt, hash] = FORM.exec(digest) ?? [];
    if (salt === undefined || hash === undefined) return false;
    const expected = Buffer.from(hash, "base64url");
    const given = await derive(token, Buffer.from(salt, "base64url"));
    const isRight = given.length === expected.length && timingSafeEqual(given, expected);
    if (isRight) known = markOf(token, digest);
    return isRight;
  };
  return {
    async make(token) {
      const salt = randomBytes(SALT_BYTES);
      const hash = await derive(token, salt);
      return `scrypt.${salt.toString("base64url")}.${hash.toString("base64url")}`;
    },
    isKnown: (token, digest) => known !== null && timingSafeEqual(known, markOf(token, digest)),
    async matches(token, digest) {
      const found = check(token, digest);
      const name = markOf(token, "").toString("latin1");
      // bounded by those that wait
      asked.set(
        name,
        found.catch(() => undefined),
      );
      return found.finally(() => asked.delete(name));
    },
    underWay: (token) => asked.get(markOf(token, "").toString("latin1")) ?? null,
  };
}

function derived32(token: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(token, salt, HASH_BYTES, COST, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
