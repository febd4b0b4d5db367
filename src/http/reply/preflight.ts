import type { AppContext } from "../call/request-context.ts";
import { responseHeaders } from "./response-headers.ts";

const METHODS = "GET, POST, PUT, DELETE, OPTIONS";
const ONE_DAY_SECONDS = "86400";

/**
 * Browsers ask before they call; any page may. `*` covers every header but Authorization, which has
 * to be named; no cookie of ours exists, so nothing rides along.
 */
export function answerPreflight(c: AppContext): Response {
  c.env.context.route = "preflight";
  const { "content-type": _none, ...headers } = responseHeaders(c.env.context, "");
  return c.body(null, 204, {
    ...headers,
    allow: METHODS,
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": "authorization, *",
    "access-control-max-age": ONE_DAY_SECONDS,
  });
}
