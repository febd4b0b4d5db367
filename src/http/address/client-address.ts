import { bucketOf, normaliseAddress } from "./ip.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

export interface ClientAddress {
  /** Whose call it is, normalised. */
  readonly address: string;
  /** What its limits are counted by: the IPv4 address or the IPv6 /64. */
  readonly bucket: string;
  /** The other end of the socket, normalised; "unknown" when the socket was gone already. */
  readonly peer: string;
  /**
   * `believed`: a trusted peer named at least one hop. `ignored`: an untrusted peer tried to.
   * `none`: nobody named a hop that can be read.
   */
  readonly forwarded: "none" | "believed" | "ignored";
}

/** Names in lower case, as node:http gives them. */
export type AddressHeaders = Readonly<Record<string, string | string[] | undefined>>;

export type ResolveClientAddress = (
  peer: string | undefined,
  headers: AddressHeaders,
) => ClientAddress;

/** Far more proxies than any real chain has; what lies further left is nobody's word we could check. */
const MAX_HOPS = 32;

const GONE_ADDRESS = "0.0.0.0";
const UNKNOWN = "unknown";

/**
 * The socket's address, unless a trusted proxy speaks for somebody else: then the first hop from the
 * right that no trusted proxy vouches for. What a proxy did not write stands further left, so a client
 * can add hops but none that count. X-Forwarded-For wins over Forwarded, hence a proxy that writes only
 * Forwarded has to remove the other. CF-Connecting-IP, X-Real-IP and their like are never read: one
 * value without a chain cannot be checked, and Cloudflare writes X-Forwarded-For as well.
 */
export function createClientAddress(trusted: TrustedProxies): ResolveClientAddress {
  return (socketAddress, headers) => {
    const peer = normaliseAddress(socketAddress ?? "");
    const chain = chainOf(headers);
    if (peer === null) {
      const forwarded = chain === null ? "none" : "ignored";
      return { address: GONE_ADDRESS, bucket: UNKNOWN, peer: UNKNOWN, forwarded };
    }
    if (chain === null) return { address: peer, bucket: bucketOf(peer), peer, forwarded: "none" };
    if (!trusted.isTrusted(peer)) {
      return { address: peer, bucket: bucketOf(peer), peer, forwarded: "ignored" };
    }
    return clientOf(chain, peer, trusted);
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

/** The first untrusted hop from the right, else the last one that could be read, else the peer itself. */
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
 * Commas part hops even inside quotes: no known parameter of Forwarded holds one, and a quote a client
 * left open cannot swallow the hop that a proxy wrote behind it.
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
  // Brackets hold IPv6 only.
  if (bracketed !== address.includes(":")) return null;
  return (bracketed && port === "") || PORT.test(port) ? normaliseAddress(address) : null;
}

/** Digits, or RFC 7239's obfuscated port. */
const PORT = /^:(?:\d{1,5}|_[\w.-]{1,32})$/;

/** RFC 7239: `name=value`, the value a token (addresses are often left unquoted, too) or a quoted string. */
const PAIR = /^([\w!#$%&'*+.^`|~-]+)=(?:([^\s"\\=]+)|"((?:[^"\\]|\\.)*)")$/;

/**
 * The `for` of one Forwarded element; null for `unknown`, `_hidden`, none, two, or anything out of form.
 * Semicolons part pairs even inside quotes, for the reason commas do.
 */
function forwardedHop(element: string): string | null {
  let found: string | null = null;
  for (const text of element.split(";")) {
    const pair = parsePair(text.trim());
    if (pair === null) return null;
    if (pair.name !== "for") continue;
    if (found !== null) return null;
    found = pair.value;
  }
  return found === null ? null : hopAddress(found);
}

interface Pair {
  readonly name: string;
  readonly value: string;
}

/** The grammar allows a pair to be empty. */
function parsePair(text: string): Pair | null {
  if (text === "") return { name: "", value: "" };
  const [pair, name = "", token, quoted = ""] = PAIR.exec(text) ?? [];
  if (pair === undefined) return null;
  return { name: name.toLowerCase(), value: token ?? quoted.replaceAll(/\\(.)/g, "$1") };
}
