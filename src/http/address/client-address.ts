import { bucketOf, normaliseAddress } from "./ip.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

export interface ClientAddress {
  /** The client's address, normalised. */
  readonly address: string;
  /** The key its limits are counted by: the IPv4 address or the IPv6 /64. */
  readonly bucket: string;
  /** The other end of the socket, normalised; "unknown" if the socket was already closed. */
  readonly peer: string;
  /**
   * `believed`: a trusted peer named at least one hop. `ignored`: an untrusted peer named some.
   * `none`: there is no hop that can be read.
   */
  readonly forwarded: "none" | "believed" | "ignored";
}

/** Names in lower case, as node:http gives them. */
export type AddressHeaders = Readonly<Record<string, string | string[] | undefined>>;

export type ResolveClientAddress = (
  peer: string | undefined,
  headers: AddressHeaders,
) => ClientAddress;

/** Far more proxies than any real chain has. */
const MAX_HOPS = 32;

const GONE_ADDRESS = "0.0.0.0";
const UNKNOWN = "unknown";

/**
 * The socket's address, unless the peer is a trusted proxy: then the first hop from the right that is
 * not a trusted proxy. A proxy appends to the list, so hops that a client invents are further left
 * and never count. X-Forwarded-For takes precedence over Forwarded, so a proxy that writes only
 * Forwarded has to remove the other. CF-Connecting-IP, X-Real-IP and the like are never read: a single
 * value without a chain can't be checked, and Cloudflare writes X-Forwarded-For as well.
 */
export function createClientAddress(trusted: TrustedProxies): ResolveClientAddress {
  return (socketAddress, headers) => {
    const peer = normaliseAddress(socketAddress ?? "");
    const chain = chainOf(headers);
    if (peer !== null && chain !== null && trusted.isTrusted(peer)) {
      return clientOf(chain, peer, trusted);
    }
    const forwarded = chain === null ? "none" : "ignored";
    return peer === null
      ? { address: GONE_ADDRESS, bucket: UNKNOWN, peer: UNKNOWN, forwarded }
      : { address: peer, bucket: bucketOf(peer), peer, forwarded };
  };
}

interface Chain {
  readonly text: string;
  readonly addressOf: (hop: string) => string | null;
}

function chainOf(headers: AddressHeaders): Chain | null {
  const list = headers["x-forwarded-for"];
  if (list !== undefined) return { text: joined(list), addressOf: hopAddress };
  const { forwarded } = headers;
  return forwarded === undefined ? null : { text: joined(forwarded), addressOf: forwardedHop };
}

/** Several header lines are one list, in their order (RFC 9110, 5.3). */
function joined(lines: string | string[]): string {
  return typeof lines === "string" ? lines : lines.join(",");
}

/** The first untrusted hop from the right, else the last one that could be read, else the peer. */
function clientOf(chain: Chain, peer: string, trusted: TrustedProxies): ClientAddress {
  let address = peer;
  let forwarded: ClientAddress["forwarded"] = "none";
  for (const hop of hopsFromTheRight(chain.text)) {
    const named = chain.addressOf(hop);
    if (named === null) break;
    address = named;
    forwarded = "believed";
    if (!trusted.isTrusted(address)) break;
  }
  return { address, bucket: bucketOf(address), peer, forwarded };
}

/**
 * Commas separate hops even inside quotes: no known parameter of Forwarded contains one, and a quote
 * that a client left open must not swallow the hop that a proxy appended.
 */
function* hopsFromTheRight(text: string): Generator<string, void> {
  let end = text.length;
  for (let hops = 0; hops < MAX_HOPS && end >= 0; hops += 1) {
    const commaAt = end === 0 ? -1 : text.lastIndexOf(",", end - 1);
    yield text.slice(commaAt + 1, end).trim();
    end = commaAt;
  }
}

/** An address with or without a port: `1.2.3.4`, `1.2.3.4:567`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:567`. */
function hopAddress(hop: string): string | null {
  const bare = normaliseAddress(hop);
  if (bare !== null) return bare;
  const bracketed = hop.startsWith("[");
  const addressEnd = bracketed ? hop.indexOf("]") : hop.indexOf(":");
  if (addressEnd === -1) return null;
  const address = hop.slice(bracketed ? 1 : 0, addressEnd);
  const port = hop.slice(bracketed ? addressEnd + 1 : addressEnd);
  // brackets are for IPv6 only
  if (bracketed !== address.includes(":")) return null;
  return (bracketed && port === "") || PORT.test(port) ? normaliseAddress(address) : null;
}

/** Digits, or RFC 7239's obfuscated port. */
const PORT = /^:(?:\d{1,5}|_[\w.-]{1,32})$/;

/** RFC 7239: `name=value`. The value is a token (often an unquoted address) or a quoted string. */
const PAIR = /^([\w!#$%&'*+.^`|~-]+)=(?:([^\s"\\=]+)|"((?:[^"\\]|\\.)*)")$/;

/**
 * The `for` of one Forwarded element. Null for `unknown`, `_hidden`, none, two, or anything malformed.
 * Semicolons separate pairs even inside quotes, for the same reason as commas.
 */
function forwardedHop(element: string): string | null {
  let found: string | null = null;
  for (const text of element.split(";")) {
    const pair = text.trim();
    if (pair === "") continue; // the grammar allows it
    const [match, name = "", token, quoted = ""] = PAIR.exec(pair) ?? [];
    if (match === undefined) return null;
    if (name.toLowerCase() !== "for") continue;
    if (found !== null) return null;
    found = token ?? quoted.replaceAll(/\\(.)/g, "$1");
  }
  return found === null ? null : hopAddress(found);
}
