import type { AppContext } from "../call/request-context.ts";
import { ALREADY_SENT, roomIn } from "./event-stream.ts";
import { answer, type ResponseHeaders, responseHeaders } from "./response-headers.ts";

/** A long text, piece by piece as the client takes it. A break cuts the connection, so that none looks whole. */
export async function streamText(
  c: AppContext,
  contentType: string,
  text: AsyncIterator<string>,
  more: ResponseHeaders = {},
): Promise<Response> {
  const { incoming, outgoing } = c.env;
  // The first piece before the headers: a database that is away is still an error with a status.
  let next = await text.next();
  const headers = { ...responseHeaders(c.env.context, contentType), ...more };
  if (incoming.method === "HEAD") {
    await text.return?.();
    return answer(200, "", headers);
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
