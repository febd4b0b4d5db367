import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** The bearer token in Authorization. Another scheme is for a proxy in front. */
export function bearerIn({ authorization }: IncomingHttpHeaders): string | undefined {
  return /^bearer\s+(\S+)$/i.exec(authorization?.trim() ?? "")?.[1];
}

/** Compares digests, so that the time taken reveals neither content nor length of the secret. */
export function createSecretMatch(secret: string): (given: string) => boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(secret);
  return (given) => timingSafeEqual(digest(given), expected);
}
