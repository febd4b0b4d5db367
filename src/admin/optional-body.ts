import { readJson } from "../http/body/body.ts";
import type { AppContext } from "../http/call/request-context.ts";

/** An empty object where the request has no body. */
export async function optionalBody({ env }: AppContext, maxBytes: number): Promise<unknown> {
  const { "content-length": length = "0", "transfer-encoding": encoding } = env.incoming.headers;
  const hasBody = encoding !== undefined || length !== "0";
  return hasBody ? readJson(env.incoming, maxBytes) : {};
}
