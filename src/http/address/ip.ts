import { isIPv4, isIPv6 } from "node:net";
import { convertIPv6BinaryToString, convertIPv6ToBinary } from "hono/utils/ipaddr";

/** An address takes up to 45 characters, a zone id up to 15 (IFNAMSIZ). */
const MAX_ADDRESS_CHARS = 64;

const MAPPED_PREFIX = "::ffff:";

/** An IPv6 customer gets at least a /64 (RFC 6177), so its addresses count as one client. */
const HOST_BITS = 64n;

/**
 * One spelling per address: IPv4 unchanged, IPv6 in lower case, compressed (RFC 5952) and without zone
 * id, IPv4-mapped IPv6 as IPv4. Null for anything else. Octets with leading zeros are refused, because
 * some parsers read them as octal.
 */
export function normaliseAddress(text: string): string | null {
  if (text.length > MAX_ADDRESS_CHARS) return null;
  if (isIPv4(text)) return text;
  // a fast path: a dual-stack socket reports every IPv4 client like this
  if (text.startsWith(MAPPED_PREFIX)) {
    const mapped = text.slice(MAPPED_PREFIX.length);
    if (isIPv4(mapped)) return mapped;
  }
  return isIPv6(text) ? canonicalIPv6(text) : null;
}

/** The key that limits count by: the IPv4 address or the IPv6 /64. Takes a normalised address. */
export function bucketOf(address: string): string {
  if (!address.includes(":")) return address;
  const network = (convertIPv6ToBinary(address) >> HOST_BITS) << HOST_BITS;
  return `${convertIPv6BinaryToString(network)}/64`;
}

function canonicalIPv6(text: string): string {
  const zoneAt = text.indexOf("%");
  const address = zoneAt === -1 ? text : text.slice(0, zoneAt);
  const canonical = convertIPv6BinaryToString(convertIPv6ToBinary(address));
  // the formatter writes dots for IPv4-mapped addresses only
  return canonical.includes(".") ? canonical.slice(MAPPED_PREFIX.length) : canonical;
}
