import { isIPv4, isIPv6 } from "node:net";
import { convertIPv6BinaryToString, convertIPv6ToBinary } from "hono/utils/ipaddr";

/** 45 characters of address ("::ffff:255.255.255.255" in full) and a zone id of up to 15 (IFNAMSIZ), with room. */
const MAX_ADDRESS_CHARS = 64;

const MAPPED_PREFIX = "::ffff:";

/** What one IPv6 customer gets at least, so a new address within it is not a new client. RFC 6177. */
const HOST_BITS = 64n;

/**
 * One spelling per address: IPv4 as it is, IPv6 in lower case and compressed (RFC 5952) without its
 * zone id, IPv4-mapped IPv6 as IPv4. Null for anything else. Octets with leading zeros are refused:
 * some readers take them for octal.
 */
export function normaliseAddress(text: string): string | null {
  if (text.length > MAX_ADDRESS_CHARS) return null;
  if (isIPv4(text)) return text;
  // What a dual-stack socket reports for every IPv4 client: worth its own short way.
  if (text.startsWith(MAPPED_PREFIX)) {
    const mapped = text.slice(MAPPED_PREFIX.length);
    if (isIPv4(mapped)) return mapped;
  }
  return isIPv6(text) ? canonicalIPv6(text) : null;
}

/** What limits are counted by: an IPv4 address itself, an IPv6 address's /64. Takes what normaliseAddress returned. */
export function bucketOf(address: string): string {
  if (!address.includes(":")) return address;
  const network = (convertIPv6ToBinary(address) >> HOST_BITS) << HOST_BITS;
  return `${convertIPv6BinaryToString(network)}/64`;
}

function canonicalIPv6(text: string): string {
  const zoneAt = text.indexOf("%");
  const address = zoneAt === -1 ? text : text.slice(0, zoneAt);
  const canonical = convertIPv6BinaryToString(convertIPv6ToBinary(address));
  // The formatter writes dots for IPv4-mapped addresses only, whatever way they were spelled.
  return canonical.includes(".") ? canonical.slice(MAPPED_PREFIX.length) : canonical;
}
