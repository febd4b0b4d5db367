import type { IncomingHttpHeaders } from "node:http";

/** What WS_ORIGINS lists to let every page in. */
const ANY = "*";

/**
 * Browsers let every page connect to any host by WebSocket and say which page it is; CORS plays no
 * part. Allowed are programs, which send no Origin, pages of this very host on whatever port, and
 * what the operator lists.
 */
export function createOriginRule(
  listed: readonly string[],
): (headers: IncomingHttpHeaders) => boolean {
  const allowed = new Set(listed.map(spelled));
  return ({ origin, host }) => {
    if (origin === undefined || allowed.has(ANY)) return true;
    // an opaque origin ("null") is any sandboxed page there is, so that no list can mean it
    const page = hostname(origin);
    if (page === null) return false;
    return allowed.has(spelled(origin)) || page === hostname(`http://${host ?? ""}`);
  };
}

function hostname(url: string): string | null {
  return URL.parse(url)?.hostname || null;
}

function spelled(origin: string): string {
  return origin.toLowerCase().replace(/\/$/, "");
}
