import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

const SCHEME = "bearer";

/** The bearer token in Authorization. Another scheme is for a proxy in front. */
export function bearerIn({ authorization }: IncomingHttpHeaders): string | undefined {
  if (authorization === undefined) return undefined;
  const scheme = authorization.slice(0, SCHEME.length);
  if (scheme !== "Bearer" && scheme.toLowerCase() !== SCHEME) return undefined;
  const rest = authorization.slice(SCHEME.length);
  const token = rest.trim();
  // no pattern: whoever calls chooses this text
  return token === "" || rest.startsWith(token) ? undefined : token;
}

/** Compares digests, so that the time taken reveals neither content nor length of the secret. */
export function createSecretMatch(secret: string): (given: string) => boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(secret);
  return (given) => timingSafeEqual(digest(given), expected);
}
