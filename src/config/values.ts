import {
  type AddressList,
  createAddressList,
  type InvalidEntries,
  parseTrustedProxies,
  type TrustedProxies,
} from "../http/address/trusted-proxies.ts";
import { type Problem, splitList } from "./kinds.ts";

type Parsed<T> = { value: T } | { problem: Problem };

/** First path segments that other dialects own, now or by contract. */
const RESERVED_SEGMENTS: ReadonlySet<string> = new Set(
  `v1 chat chats chat_complete conversations ask system mod usage data admin whoami healthz readyz metrics docs
   openapi.json status`.split(/\s+/),
);

/** `api`, `/api/` and `a/b` become `/api` and `/a/b`; nothing that a router would read as a pattern. */
export function route(text: string): Parsed<string> {
  if (!/^\/?([A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*\/?)?$/.test(text)) {
    return { problem: { key: "route" } };
  }
  const path = `/${text.replace(/^\/|\/$/g, "")}`;
  const segments = path.slice(1).split("/");
  if (segments.some((segment) => segment === "." || segment === "..")) {
    return { problem: { key: "route" } };
  }
  if (RESERVED_SEGMENTS.has(segments[0] ?? "")) return { problem: { key: "route_reserved" } };
  return { value: path };
}

/** Keys travel in a header, so only what a header may hold. Several are rotated. */
export function secretKeys(text: string): Parsed<readonly string[]> {
  const keys = splitList(text);
  if (keys.every((key) => /^[\x21-\x7e]+$/.test(key))) return { value: [...new Set(keys)] };
  return { problem: { key: "header_characters" } };
}

/** A credential that travels in a header; empty when there is none. */
export function headerText(text: string): Parsed<string> {
  if (/^[\x21-\x7e]*$/.test(text)) return { value: text };
  return { problem: { key: "header_characters" } };
}

/** An IP address or the name of one. IPv6 stands without brackets. */
export function host(text: string): Parsed<string> {
  return /^[\w.:%-]+$/.test(text) ? { value: text } : { problem: { key: "invalid" } };
}

/**
 * A base URL, or the full URL of chat/completions as older deployments have it. A bare host means
 * its /v1. The query (some services carry a version there) is kept for every request.
 */
export function upstreamUrl(text: string): Parsed<URL> {
  const url = parseUrl(text, ["http:", "https:"]);
  if (url === null || url.username !== "" || url.password !== "" || url.hash !== "") {
    return { problem: { key: "http_url" } };
  }
  // a bare host means its /v1; whoever gives a path, also that of chat/completions, means that one
  if (url.pathname === "/") url.pathname = "/v1";
  url.pathname = url.pathname.replace(/\/(chat\/)?completions\/?$/, "").replace(/\/+$/, "");
  return { value: url };
}

export function proxyUrl(text: string): Parsed<URL | null> {
  if (text === "") return { value: null };
  const url = parseUrl(text, ["http:", "https:", "socks5:", "socks:", "socks5h:"]);
  return url === null ? { problem: { key: "proxy_url" } } : { value: url };
}

/** What happens to an answer whose client has left. */
export interface DisconnectPolicy {
  /** As it stands in the ledger: "cancel" or "drain:30". */
  readonly name: string;
  readonly drainMs: number;
}

/** An hour: longer, and a call outlives every deadline. */
const MAX_DRAIN_SECONDS = 3_600;

export function disconnectPolicy(text: string): Parsed<DisconnectPolicy> {
  if (text === "cancel") return { value: { name: text, drainMs: 0 } };
  const seconds = Number(/^drain:(\d{1,4})$/.exec(text)?.[1] ?? Number.NaN);
  if (seconds >= 1 && seconds <= MAX_DRAIN_SECONDS) {
    return { value: { name: text, drainMs: seconds * 1_000 } };
  }
  return { problem: { key: "disconnect", params: { max: MAX_DRAIN_SECONDS } } };
}

export function databaseUrl(text: string): Parsed<string | null> {
  if (text === "") return { value: null };
  if (parseUrl(text, ["postgres:", "postgresql:"]) !== null) return { value: text };
  return { problem: { key: "database_url" } };
}

/** Shorter secrets can be guessed. */
const MIN_SECRET_CHARACTERS = 32;

/** The newest first; the others only open what they once sealed. */
export function secretKeyList(text: string): Parsed<readonly string[]> {
  const keys = splitList(text);
  if (keys.every((key) => key.length >= MIN_SECRET_CHARACTERS)) return { value: keys };
  return { problem: { key: "too_short", params: { min: MIN_SECRET_CHARACTERS } } };
}

const MIN_TOKEN_CHARACTERS = 16;

export function adminToken(text: string): Parsed<string | null> {
  if (text === "") return { value: null };
  if (text.length >= MIN_TOKEN_CHARACTERS && /^[\x21-\x7e]+$/.test(text)) return { value: text };
  return { problem: { key: "too_short", params: { min: MIN_TOKEN_CHARACTERS } } };
}

/** Null when empty: then addresses are not asked about. */
export function allowedAddresses(text: string): Parsed<AddressList | null> {
  if (text === "") return { value: null };
  const list = createAddressList(text);
  return "invalid" in list ? invalidEntries(list) : { value: list };
}

export function trustedProxies(text: string): Parsed<TrustedProxies> {
  const proxies = parseTrustedProxies(text);
  return "invalid" in proxies ? invalidEntries(proxies) : { value: proxies };
}

function invalidEntries({ invalid }: InvalidEntries): { problem: Problem } {
  return { problem: { key: "address_blocks", params: { positions: invalid.join(", ") } } };
}

/** URL drops line breaks within a text and repairs blanks; here both are mistakes. */
function parseUrl(text: string, protocols: readonly string[]): URL | null {
  const url = !/\s/.test(text) && URL.canParse(text) ? new URL(text) : null;
  return url !== null && protocols.includes(url.protocol) ? url : null;
}
