import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { ProxyError } from "../../../core/errors.ts";

/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
/** The one version of RFC 6455. */
export const VERSION = "13";

/** Throws what is wrong with a handshake, so far as `ws` would refuse it in a form of its own. */
export function checkHandshake({ headers }: IncomingMessage): void {
  if (headers["sec-websocket-version"] !== VERSION) throw new ProxyError("upgrade_needed");
  if (!KEY.test(headers["sec-websocket-key"] ?? "")) throw new ProxyError("bad_request");
}

/** The headers that may carry a credential; the others need not be kept for as long as a connection. */
export function credentialsOf(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const names = ["authorization", "api-key", "openai-token", "access-token"] as const;
  return Object.fromEntries(names.map((name) => [name, headers[name]]));
}
