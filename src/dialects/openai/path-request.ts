import { ProxyError } from "../../core/errors.ts";
import type { RelayRequest } from "../../core/upstream-ports.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import { restOf } from "./paths.ts";

/** Text that services read as true. */
export const MEANS_TRUE = /^(?:true|t|yes|y|on|1)$/i;

/**
 * A request without a body to the same path of the service. Of its query these names travel, each as often
 * as it is there.
 */
export function pathRequest(
  c: AppContext,
  method: RelayRequest["method"],
  names: readonly string[],
): RelayRequest {
  const rest = restOf(c.req.path.slice("/v1/".length));
  if (rest === null) throw new ProxyError("not_found");
  const query = new URLSearchParams();
  for (const name of names) {
    for (const value of c.req.queries(name) ?? []) query.append(name, value);
  }
  const path = query.size === 0 ? `/${rest.spelled}` : `/${rest.spelled}?${query}`;
  return { method, path, body: null, streamed: false, hideUsage: false, mayPass: true };
}
