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

/**
 * The key that limits count by: the IPv4 address, also one inside an IPv6 address, or the IPv6 /64.
 * Takes a normalised address.
 */
export function bucketOf(address: string): string {
  if (!address.includes(":")) return address;
  const binary = convertIPv6ToBinary(address);
  const inner = innerIPv4(binary);
  if (inner !== null) return inner;
  const network = (binary >> HOST_BITS) << HOST_BITS;
  return `${convertIPv6BinaryToString(network)}/64`;
}

/** Ranges whose IPv6 addresses hold the address of an IPv4 client: prefix, its bits, where it is. */
const IPV4_INSIDE: readonly (readonly [bigint, bigint, (address: bigint) => bigint])[] = [
  [0x64ff9bn << 64n, 96n, (address) => address], // NAT64, 64:ff9b::/96 (RFC 6052)
  [0x64ff9b0001n, 48n, localNat64], // 64:ff9b:1::/48 (RFC 8215)
  [0x2002n, 16n, (address) => address >> 80n], // 6to4, 2002::/16 (RFC 3056)
  [0x20010000n, 32n, (address) => ~address], // Teredo, 2001::/32 (RFC 4380)
  [0n, 96n, (address) => address], // IPv4-compatible, ::/96
  [0xffff_0000n, 96n, (address) => address], // IPv4-translated, ::ffff:0:0:0/96 (RFC 2765)
];

/** The last 32 bits, or, if the operator's prefix is a /48, those around bit 64 (RFC 6052, 2.2). */
function localNat64(address: bigint): bigint {
  if ((address & 0xffff_ffffn) !== 0n) return address;
  return (((address >> 64n) & 0xffffn) << 16n) | ((address >> 40n) & 0xffffn);
}

/** First octet of the addresses that are not one machine's. */
const MULTICAST = 224;

function innerIPv4(address: bigint): string | null {
  for (const [prefix, bits, read] of IPV4_INSIDE) {
    if (address >> (128n - bits) !== prefix) continue;
    const ipv4 = Number(read(address) & 0xffff_ffffn);
    const octets = [24, 16, 8, 0].map((shift) => (ipv4 >>> shift) & 0xff);
    const [first = 0] = octets;
    // no client has another address: ::1 is the loopback address, not 0.0.0.1
    return first > 0 && first < MULTICAST ? octets.join(".") : null;
  }
  return null;
}

const PRIVATE =
  /^(?:10|127|169\.254|172\.(?:1[6-9]|2\d|3[01])|192\.168|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;

/**
 * The public IPv4 address inside an IPv6 address, for lists of addresses. A private one proves
 * nothing: anybody may have it in another network.
 */
export function publicIPv4In(address: string): string | null {
  const inner = innerIPv4(convertIPv6ToBinary(address));
  return inner === null || PRIVATE.test(inner) ? null : inner;
}

function canonicalIPv6(text: string): string {
  const zoneAt = text.indexOf("%");
  const address = zoneAt === -1 ? text : text.slice(0, zoneAt);
  const canonical = convertIPv6BinaryToString(convertIPv6ToBinary(address));
  // the formatter writes dots for IPv4-mapped addresses only
  return canonical.includes(".") ? canonical.slice(MAPPED_PREFIX.length) : canonical;
}
