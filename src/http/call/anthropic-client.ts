import type { IncomingHttpHeaders } from "node:http";
import type { AnthropicHeaders } from "../../core/upstream-ports.ts";

const VERSION = "anthropic-version";
const BETA = "anthropic-beta";
/** What can't be one is left out. */
const VERSION_TEXT = /^[\w.-]{1,64}$/;
const BETA_TEXT = /^[\w.,:= -]{1,2048}$/;

/** Clients of Anthropic's API say so on every request. */
export function isAnthropicClient(headers: IncomingHttpHeaders): boolean {
  return headers[VERSION] !== undefined;
}

/** The headers of such a client that travel to a service that speaks its language. */
export function anthropicHeaders(headers: IncomingHttpHeaders): AnthropicHeaders {
  const version = textIn(headers[VERSION], VERSION_TEXT);
  const beta = textIn(headers[BETA], BETA_TEXT);
  return {
    ...(version !== null && { [VERSION]: version }),
    ...(beta !== null && { [BETA]: beta }),
  };
}

/** The same headers of a client that does not say its version, on a path of Anthropic's alone. */
export function asAnthropicClient(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return isAnthropicClient(headers) ? headers : { ...headers, [VERSION]: "" };
}

function textIn(header: string | string[] | undefined, pattern: RegExp): string | null {
  return typeof header === "string" && pattern.test(header) ? header : null;
}
