import { endpoints } from "./endpoints.ts";
import { formEndpoints, mediaEndpoints } from "./media-endpoints.ts";

/** Also served without /v1. They are reserved, so no chat and no ROUTE has one. */
const PATHS = [...endpoints, ...mediaEndpoints, ...formEndpoints].map(({ path }) => path.slice(1));
const SERVED = [...PATHS, "models"];
const PREFIX = "v1/";

/**
 * The path that is meant by clients whose base URL ends in a slash, or lacks its /v1: they send
 * `/v1//responses`, `//v1/responses` or `/responses`. Any other path is returned as it is.
 */
export function canonicalPath(path: string): string {
  // nearly all calls
  if (path.startsWith("/v1/") && path[4] !== "/" && !path.endsWith("/")) return path;
  const bare = withoutSlashes(path);
  if (bare.startsWith(PREFIX)) return `/v1/${withoutSlashes(bare.slice(PREFIX.length))}`;
  const isServed = SERVED.some((served) => bare === served || bare.startsWith(`${served}/`));
  return isServed ? `/v1/${bare}` : path;
}

/** None at its ends. Not with a pattern: it would look at many slashes in a row again and again. */
function withoutSlashes(path: string): string {
  let start = 0;
  while (path[start] === "/") start += 1;
  let end = path.length;
  while (end > start && path[end - 1] === "/") end -= 1;
  return path.slice(start, end);
}

/** The rest of a path: what it says, and how it goes to the service. */
export interface PathRest {
  readonly text: string;
  readonly spelled: string;
}

/** Null if it can't be a name: a service could take dots, and parts of nothing, for another path. */
export function restOf(rest: string): PathRest | null {
  try {
    const parts = rest.split("/").map(decodeURIComponent);
    const text = parts.join("/");
    if (/(^|\/)\.{0,2}(\/|$)/.test(text)) return null;
    // services know a name by its slashes or by %2F, so the client's spelling stays
    const spelled = parts.map((part) => encodeURIComponent(part).replaceAll("%3A", ":"));
    return { text, spelled: spelled.join("/") };
  } catch {
    return null;
  }
}
