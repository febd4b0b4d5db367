export const MESSAGES_PATH = "/v1/messages";
export const COUNT_PATH = "/v1/messages/count_tokens";

const PREFIX = "/v1";
/** Without /v1, and with the slashes that base URLs add. */
const BARE = /^\/+(messages(?:\/count_tokens)?)\/*$/;

/** The path that is meant by clients whose base URL lacks its /v1. Any other path is returned as it is. */
export function messagesPath(path: string): string {
  const bare = BARE.exec(path)?.[1];
  return bare === undefined ? path : `${PREFIX}/${bare}`;
}

/** Below the service's base path. Of a query, Anthropic's clients send this alone. */
export function upstreamPath(path: string, beta: string | undefined): string {
  const own = path.slice(PREFIX.length);
  return beta === "true" ? `${own}?beta=true` : own;
}
