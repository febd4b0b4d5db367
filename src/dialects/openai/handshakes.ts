import { ProxyError } from "../../core/errors.ts";
import type { WriteError } from "../../http/dialect.ts";
import { isWebSocketRequest } from "../../http/server.ts";

/** OpenAI's API takes WebSocket connections here, so its clients try that first. */
const PATHS: ReadonlySet<string> = new Set(["/v1/responses", "/v1/realtime"]);

/**
 * Answers WebSocket handshakes with 426, after which clients use HTTP at once. After the 404 or 405 of
 * a plain request they would try again for seconds.
 */
export function refuseHandshakes(writeError: WriteError): WriteError {
  return (c, error) => {
    const isHandshake =
      c.req.method === "GET" && PATHS.has(c.req.path) && isWebSocketRequest(c.env.incoming);
    if (!isHandshake) return writeError(c, error);
    const response = writeError(c, new ProxyError("websocket_refused"));
    response.headers.set("upgrade", "HTTP/1.1");
    // no proxy may pass the header above on; and a client that asked for frames sends nothing else
    response.headers.set("connection", "upgrade, close");
    return response;
  };
}
