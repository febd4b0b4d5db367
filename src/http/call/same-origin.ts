import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

/** Methods that change nothing. */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD"]);
const HOST = /^[\w.:[\]-]{1,255}$/;

/** Whether a browser has said where a request was made. */
export function namesItsPage(headers: IncomingHttpHeaders): boolean {
  return headers["sec-fetch-site"] !== undefined || headers.origin !== undefined;
}

/**
 * Whether a request that carries a cookie may act: another page may have made it. `SameSite` is not
 * enough, since another port of the same host is the same site.
 */
export function isFromOurPage(incoming: IncomingMessage): boolean {
  const { method = "", headers } = incoming;
  const { "sec-fetch-site": site } = headers;
  // `none`: typed into the address bar
  if (SAFE.has(method)) return site === undefined || site === "same-origin" || site === "none";
  // browsers send it over https and to localhost alone
  if (site !== undefined) return site === "same-origin";
  return headers.origin !== undefined && headers.origin === publicOrigin(headers);
}

/** Whether the page is one of https. Not every proxy names the scheme, but browsers do. */
export function isOverHttps(headers: IncomingHttpHeaders): boolean {
  return isForwardedHttps(headers) || headers.origin?.startsWith("https://") === true;
}

function isForwardedHttps(headers: IncomingHttpHeaders): boolean {
  return firstOf(headers["x-forwarded-proto"]) === "https";
}

/**
 * The origin that a page of ours has. What a proxy says is believed of everybody: no page can add
 * these headers without a preflight, and those for /admin are refused.
 */
function publicOrigin(headers: IncomingHttpHeaders): string | null {
  const host = firstOf(headers["x-forwarded-host"]) ?? headers.host ?? "";
  const scheme = isForwardedHttps(headers) ? "https" : "http";
  return HOST.test(host) ? (URL.parse(`${scheme}://${host}`)?.origin ?? null) : null;
}

/** Several proxies make a list, the outermost first. */
function firstOf(header: string | string[] | undefined): string | undefined {
  const [first] = [header].flat();
  return first?.split(",", 1)[0]?.trim().toLowerCase();
}
