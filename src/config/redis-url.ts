import { type Parsed, refused } from "../parsing.ts";
import { unencodedIn } from "./url-password.ts";

/** Where the shared store listens, and as whom to log in. */
export type RedisTarget = Readonly<{
  username: string | null;
  password: string | null;
  /** The number of the database, which SELECT takes. */
  db: number;
}> &
  (
    | { readonly host: string; readonly port: number; readonly tls: boolean }
    | { readonly path: string }
  );

const DEFAULT_PORT = 6_379;
/** Parameters of a socket's URL, which has no other place for them. */
const OF_SOCKETS = new Set(["db", "user", "username", "password"]);

/**
 * `redis://user:password@host:port/db`, `rediss://…` over TLS, or `unix:///path?db=0&password=…`; null
 * when empty. Says what is wrong, never the value.
 */
export function parseRedisUrl(text: string): Parsed<RedisTarget | null> {
  if (text === "") return { value: null };
  const [, scheme = "", rest = ""] = /^(redis|rediss|unix):\/\/(.*)$/is.exec(text) ?? [];
  const isSocket = scheme.toLowerCase() === "unix";
  const unencoded = isSocket ? null : unencodedIn(rest);
  if (unencoded !== null) return refused("database_url_character", unencoded);
  const url = /\s/.test(text) || scheme === "" ? null : URL.parse(text);
  if (url === null || url.hash !== "") return refused("redis_url");
  return isSocket ? socketIn(url) : serverIn(url);
}

/** The name of one host, or an IP address, without a port. */
export function parseRedisHost(text: string): Parsed<string> {
  if (text.includes(",")) return refused("database_url_hosts");
  const host = text.replace(/^\[(.*)\]$/, "$1");
  const isPair = /^[^:]*:[^:]*$/.test(host);
  return /^[\w.:%-]*$/.test(host) && !isPair ? { value: host } : refused("invalid");
}

function serverIn(url: URL): Parsed<RedisTarget> {
  const db = databaseIn(url.pathname.replace(/^\//, ""));
  if (url.hostname === "" || url.search !== "" || db === null) return refused("redis_url");
  if (url.hostname.includes(",")) return refused("database_url_hosts");
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (username === undefined || password === undefined) {
    return refused("database_url_character", { character: "%", code: "%25" });
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  return { value: { host, port, tls: url.protocol === "rediss:", username, password, db } };
}

function socketIn({ pathname, searchParams, host }: URL): Parsed<RedisTarget> {
  const path = decoded(pathname);
  const given = (...names: string[]) =>
    names.map((name) => searchParams.get(name)).find(Boolean) ?? null;
  const db = databaseIn(given("db") ?? "");
  const isKnown = [...searchParams.keys()].every((name) => OF_SOCKETS.has(name));
  if (!path?.startsWith("/") || path === "/" || host !== "" || db === null || !isKnown) {
    return refused("redis_url");
  }
  return {
    value: { path, username: given("user", "username"), password: given("password"), db },
  };
}

function databaseIn(text: string): number | null {
  if (text === "") return 0;
  return /^\d{1,5}$/.test(text) ? Number(text) : null;
}

/** Null for an empty text, undefined if a % begins no code. */
function decoded(text: string): string | null | undefined {
  if (text === "") return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
