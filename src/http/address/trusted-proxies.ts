import { BlockList, isIPv6 } from "node:net";
import { normaliseAddress, publicIPv4In } from "./ip.ts";

export interface AddressList {
  /** Number of entries in the text; 0: no address is included. */
  readonly size: number;
  /** As it was set: instances are compared by it. */
  readonly text?: string;
  /** Takes an address as normaliseAddress returns it. */
  includes(address: string): boolean;
}

export interface TrustedProxies {
  /** As it was set: instances are compared by it. */
  readonly text?: string;
  /** Takes an address as normaliseAddress returns it. */
  isTrusted(address: string): boolean;
}

export interface InvalidEntries {
  /** Positions of malformed entries, from 1. Without their text, which may be a pasted secret. */
  readonly invalid: readonly number[];
}

/** https://www.cloudflare.com/ips-v4 and https://www.cloudflare.com/ips-v6, as of 2026-10-14. */
export const CLOUDFLARE_BLOCKS: readonly string[] = [
  "173.245.48.0/20",
  "103.21.244.0/22",
  "103.22.200.0/22",
  "103.31.4.0/22",
  "141.101.64.0/18",
  "108.162.192.0/18",
  "190.93.240.0/20",
  "188.114.96.0/20",
  "197.234.240.0/22",
  "198.41.128.0/17",
  "162.158.0.0/15",
  "104.16.0.0/13",
  "104.24.0.0/14",
  "172.64.0.0/13",
  "131.0.72.0/22",
  "2400:cb00::/32",
  "2606:4700::/32",
  "2803:f800::/32",
  "2405:b500::/32",
  "2405:8100::/32",
  "2a06:98c0::/29",
  "2c0f:f248::/32",
];

const NAMED_BLOCKS: ReadonlyMap<string, readonly string[]> = new Map([
  ["loopback", ["127.0.0.0/8", "::1/128"]],
  // RFC 1918 and RFC 4193; not link-local or carrier-grade NAT, which real clients use
  ["private", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]],
  ["cloudflare", CLOUDFLARE_BLOCKS],
]);

/** Checking all Cloudflare blocks costs several cached lookups. */
const MAX_CACHED_VERDICTS = 1_024;

/** Prefix lengths of both families, and of an IPv4-mapped address before its IPv4 part. */
const IPV4_BITS = 32;
const IPV6_BITS = 128;
const MAPPED_BITS = IPV6_BITS - IPV4_BITS;

/** TRUSTED_PROXIES. With `0.0.0.0/0` or `::/0`, clients choose their own address. */
export function parseTrustedProxies(text: string): TrustedProxies | InvalidEntries {
  const list = createAddressList(text);
  return "invalid" in list ? list : { text, isTrusted: list.includes };
}

/**
 * A list of addresses, as in ALLOWED_IPS: CIDR blocks, addresses and the names `loopback`, `private`
 * and `cloudflare`, separated by commas or blanks.
 */
export function createAddressList(text: string): AddressList | InvalidEntries {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== "");
  const read = entries.map((entry) =>
    (NAMED_BLOCKS.get(entry.toLowerCase()) ?? [entry]).map(parseBlock),
  );
  const invalid = read.flatMap((blocks, index) => (blocks.includes(null) ? [index + 1] : []));
  if (invalid.length > 0) return { invalid };
  const size = entries.length;
  if (size === 0) return { size, text, includes: () => false };
  // one list per family: a single BlockList finds every IPv4 address in ::/0
  const ipv4 = new BlockList();
  const ipv6 = new BlockList();
  for (const { family, network, prefixBits } of read.flat().filter((block) => block !== null)) {
    (family === "ipv4" ? ipv4 : ipv6).addSubnet(network, prefixBits, family);
  }
  const check = (address: string) => {
    if (!address.includes(":")) return ipv4.check(address, "ipv4");
    const inner = publicIPv4In(address);
    return ipv6.check(address, "ipv6") || (inner !== null && ipv4.check(inner, "ipv4"));
  };
  return { size, text, includes: rememberVerdicts(check) };
}

interface AddressBlock {
  readonly family: "ipv4" | "ipv6";
  readonly network: string;
  readonly prefixBits: number;
}

function parseBlock(text: string): AddressBlock | null {
  const slashAt = text.indexOf("/");
  const written = slashAt === -1 ? text : text.slice(0, slashAt);
  const network = normaliseAddress(written);
  if (network === null) return null;
  const writtenBits = isIPv6(written) ? IPV6_BITS : IPV4_BITS;
  const prefixBits =
    slashAt === -1 ? writtenBits : parsePrefix(text.slice(slashAt + 1), writtenBits);
  if (prefixBits === null) return null;
  if (network.includes(":")) return { family: "ipv6", network, prefixBits };
  // an IPv4-mapped block becomes IPv4, like the addresses to check; a wider one spans both families
  const foldedBits = writtenBits === IPV4_BITS ? prefixBits : prefixBits - MAPPED_BITS;
  return foldedBits < 0 ? null : { family: "ipv4", network, prefixBits: foldedBits };
}

function parsePrefix(text: string, maxBits: number): number | null {
  if (!/^(?:0|[1-9]\d{0,2})$/.test(text)) return null;
  const bits = Number(text);
  return bits <= maxBits ? bits : null;
}

function rememberVerdicts(check: (address: string) => boolean): (address: string) => boolean {
  const verdicts = new Map<string, boolean>();
  return (address) => {
    const known = verdicts.get(address);
    if (known !== undefined) return known;
    const verdict = check(address);
    if (verdicts.size >= MAX_CACHED_VERDICTS) {
      // drop the oldest: many new addresses cost checks, never memory
      for (const oldest of verdicts.keys()) {
        verdicts.delete(oldest);
        break;
      }
    }
    verdicts.set(address, verdict);
    return verdict;
  };
}
