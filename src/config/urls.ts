import { isCompleteUrl } from "../core/complete-url.ts";
import { type Parsed, refused } from "../parsing.ts";

/**
 * A base URL, or the full URL of chat/completions that older deployments set. The query stays on
 * every request: some services carry a version there.
 */
export function parseUpstreamUrl(text: string): Parsed<URL> {
  const url = urlIn(text, ["http:", "https:"]);
  if (url === null || url.username !== "" || url.password !== "" || url.hash !== "") {
    return refused("http_url");
  }
  if (isCompleteUrl(url.search)) return { value: url };
  // a host alone means its /v1; a path is taken as given
  if (url.pathname === "/") url.pathname = "/v1";
  const path = withoutLastSlashes(url.pathname).replace(/\/(chat\/)?completions$/, "");
  url.pathname = withoutLastSlashes(path);
  return { value: url };
}

/** Where webhooks go; its path or query may be a secret. Null when empty. */
export function parseAlertUrl(text: string): Parsed<URL | null> {
  if (text === "") return { value: null };
  const url = urlIn(text, ["http:", "https:"]);
  const isPlain = url?.username === "" && url.password === "" && url.hash === "";
  return url !== null && isPlain ? { value: url } : refused("http_url");
}

/** A proxy is a host with a login: undici throws at anything more. */
export function parseProxyUrl(text: string): Parsed<URL | null> {
  if (text === "") return { value: null };
  const url = urlIn(text, ["http:", "https:", "socks5:", "socks:", "socks5h:"]);
  if (url === null || url.hostname === "" || !isOrigin(url)) return refused("proxy_url");
  // undici decodes the login
  return decodes(url.username + url.password)
    ? { value: url }
    : refused("database_url_character", { character: "%", code: "%25" });
}

function decodes(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Origins of pages, and `*` for all of them. */
export function parseOrigins(text: string): Parsed<readonly string[]> {
  const origins = splitList(text);
  const invalid = origins.flatMap((one, at) => (one === "*" || isPage(one) ? [] : [at + 1]));
  return invalid.length === 0
    ? { value: origins }
    : refused("origins", { positions: invalid.join(", ") });
}

function isPage(text: string): boolean {
  const url = URL.parse(text);
  // a pattern would never match
  const isOne = url !== null && url.hostname !== "" && !url.hostname.includes("*");
  return isOne && url.username === "" && isOrigin(url);
}

/** Without a path, a query or a fragment, not even an empty one. */
function isOrigin({ pathname, href }: URL): boolean {
  return (pathname === "" || pathname === "/") && !/[?#]/.test(href);
}

export function splitList(value: string): readonly string[] {
  return value.split(/[\s,]+/).filter((entry) => entry !== "");
}

/** Null where `URL` would repair the text: it drops line breaks and encodes blanks. */
function urlIn(text: string, protocols: readonly string[]): URL | null {
  const url = /\s/.test(text) ? null : URL.parse(text);
  return url !== null && protocols.includes(url.protocol) ? url : null;
}

function withoutLastSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end -= 1;
  return path.slice(0, end);
}
