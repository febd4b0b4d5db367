import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** What Authorization brings as a bearer's; another scheme is some proxy's business. */
export function bearerIn({ authorization }: IncomingHttpHeaders): string | undefined {
  return /^bearer\s+(\S+)$/i.exec(authorization?.trim() ?? "")?.[1];
}

/** Digests are compared, so that neither content nor length of a guess shows in the time it takes. */
export function createSecretMatch(secret: string): (given: string) => boolean {
  const wanted = digest(secret);
  return (given) => timingSafeEqual(digest(given), wanted);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
