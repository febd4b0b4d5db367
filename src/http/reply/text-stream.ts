import type { AppContext } from "../call/request-context.ts";
import { ALREADY_SENT, roomIn } from "./event-stream.ts";
import { type ResponseHeaders, responseHeaders } from "./response-headers.ts";

/**
 * Sends a long text piece by piece, as fast as the client reads. If it breaks, the connection is
 * dropped, so that the text does not look complete.
 */
export async function streamText(
  c: AppContext,
  contentType: string,
  text: AsyncIterator<string>,
  more: ResponseHeaders = {},
): Promise<Response> {
  const { incoming, outgoing } = c.env;
  // read before the headers are sent, so that a database failure still gets its status
  let next = await text.next();
  const headers = { ...responseHeaders(c.env.context, contentType), ...more };
  if (incoming.method === "HEAD") {
    await text.return?.();
    outgoing.writeHead(200, headers).end(); // a Response would claim a length of 0
    return ALREADY_SENT;
  }
  outgoing.writeHead(200, headers);
  try {
    for (; next.done !== true; next = await text.next()) {
      if (outgoing.destroyed) break;
      if (!outgoing.write(next.value)) await roomIn(outgoing);
    }
    outgoing.end();
  } catch {
    outgoing.destroy();
  } finally {
    await text.return?.().catch(() => undefined);
  }
  return ALREADY_SENT;
}
