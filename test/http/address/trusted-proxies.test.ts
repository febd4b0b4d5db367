import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AddressList,
  CLOUDFLARE_BLOCKS,
  createAddressList,
  parseTrustedProxies,
} from "../../../src/http/address/trusted-proxies.ts";

function listOf(text: string): AddressList {
  const list = createAddressList(text);
  if ("invalid" in list) throw new Error(`entries ${list.invalid.join(", ")} are invalid`);
  return list;
}

describe("createAddressList", () => {
  it.each([
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.9.9.9/8", "10.1.1.1", true],
    ["203.0.113.7", "203.0.113.7", true],
    ["203.0.113.7", "203.0.113.8", false],
    ["203.0.113.6/31", "203.0.113.7", true],
    ["203.0.113.7/32", "203.0.113.6", false],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/32", "2001:db9::", false],
    ["2001:DB8::5", "2001:db8::5", true],
    ["2001:db8::5", "2001:db8::6", false],
    ["::ffff:10.0.0.0/104", "10.255.0.1", true],
    ["::ffff:10.0.0.0/104", "11.0.0.1", false],
    ["::ffff:203.0.113.7", "203.0.113.7", true],
    ["::ffff:203.0.113.7", "203.0.113.6", false],
    ["0.0.0.0/0", "203.0.113.7", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::/0", "2001:db8::1", true],
    ["::/0", "203.0.113.7", false],
    ["203.0.113.0/24", "64:ff9b::cb00:7107", true],
    ["203.0.113.0/24", "2002:cb00:7107::1", true],
    ["203.0.113.0/24", "64:ff9b::cb00:7207", false],
    ["64:ff9b::/96", "64:ff9b::cb00:7107", true],
    ["64:ff9b::/96", "203.0.113.7", false],
    ["loopback", "64:ff9b::7f00:1", false],
    ["loopback", "2002:7f00:1::1", false],
    ["private", "64:ff9b:1::a00:1", false],
    ["private", "::10.0.0.1", false],
    ["0.0.0.0/0", "64:ff9b::cb00:7107", true],
    ["loopback", "127.8.8.8", true],
    ["loopback", "::1", true],
    ["loopback", "10.0.0.1", false],
    ["private", "10.0.0.1", true],
    ["private", "172.16.0.1", true],
    ["private", "172.31.255.255", true],
    ["private", "172.32.0.0", false],
    ["private", "192.168.1.1", true],
    ["private", "fd12:3456::1", true],
    ["private", "fe80::1", false],
    ["private", "169.254.169.254", false],
    ["private", "100.64.0.1", false],
    ["private", "127.0.0.1", false],
    ["private", "2001:db8::1", false],
    ["Cloudflare", "172.64.0.5", true],
    ["cloudflare", "104.27.255.255", true],
    ["cloudflare", "104.28.0.0", false],
    ["cloudflare", "2606:4700::1111", true],
    ["cloudflare", "203.0.113.7", false],
    ["", "0.0.0.0", false],
    ["", "::", false],
  ])("%j and %s: included is %s", (text, address, included) => {
    const list = listOf(text);
    expect(list.includes(address)).toBe(included);
    expect(list.includes(address)).toBe(included);
  });

  it.each([",", " ", ", ", "\n", " ,\t, "])("takes entries parted by %j", (separator) => {
    const list = listOf(`loopback${separator}203.0.113.0/24${separator}2001:db8::1${separator}`);
    expect(list.size).toBe(3);
    for (const address of ["127.0.0.1", "203.0.113.9", "2001:db8::1"]) {
      expect(list.includes(address)).toBe(true);
    }
    expect(list.includes("198.51.100.1")).toBe(false);
  });

  it("names the position of every entry it cannot read, and repeats none of them", () => {
    const result = createAddressList("10.0.0.0/8, sk-secret, loopback 10.0.0.0/33,,1.2.3");
    expect(result).toEqual({ invalid: [2, 4, 5] });
    expect(JSON.stringify(result)).not.toContain("secret");
  });

  it.each([
    "10.0.0.0/",
    "10.0.0.0/-1",
    "10.0.0.0/08",
    "10.0.0.0/8/8",
    "10.0.0.0/+8",
    "10.0.0.0/8.0",
    "10.0.0.0/255.0.0.0",
    "10.0.0.1-10.0.0.9",
    "10.0.0.0/33",
    "2001:db8::/129",
    "::ffff:10.0.0.0/95",
    "[::1]",
    "*",
    "localhost",
    "constructor",
    "/8",
    "10.0.0.01",
  ])("refuses %s", (entry) => {
    expect(createAddressList(entry)).toEqual({ invalid: [1] });
  });

  it("reads every block that Cloudflare publishes", () => {
    expect(createAddressList(CLOUDFLARE_BLOCKS.join(" "))).toMatchObject({ size: 22 });
  });

  it("keeps giving right answers when far more addresses pass than it remembers", () => {
    const list = listOf("10.0.0.0/16");
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < 5_000; index += 1) {
        const host = `${index >> 8}.${index & 255}`;
        expect(list.includes(`10.0.${host}`)).toBe(true);
        expect(list.includes(`10.1.${host}`)).toBe(false);
      }
    }
  });

  it("remembers a bounded number of addresses", () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const list = listOf("10.0.0.0/8");
    collect();
    const beforeBytes = process.memoryUsage().heapUsed;
    for (let index = 0; index < 200_000; index += 1) {
      list.includes(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
    }
    collect();
    expect(process.memoryUsage().heapUsed - beforeBytes).toBeLessThan(3_000_000);
    expect(list.includes("10.0.0.1")).toBe(true);
  });

  it("agrees with plain arithmetic about IPv4 blocks", () => {
    const octets = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 });
    const numberOf = (parts: number[]) => parts.reduce((sum, part) => sum * 256 + part, 0);
    fc.assert(
      fc.property(octets, octets, fc.integer({ min: 0, max: 32 }), (network, near, prefixBits) => {
        // Sharing the first octets makes both answers likely.
        const address = [...network.slice(0, prefixBits >> 3), ...near].slice(0, 4);
        const blockSize = 2 ** (32 - prefixBits);
        const inside =
          Math.floor(numberOf(network) / blockSize) === Math.floor(numberOf(address) / blockSize);
        const list = listOf(`${network.join(".")}/${prefixBits}`);
        expect(list.includes(address.join("."))).toBe(inside);
      }),
    );
  });
});

describe("parseTrustedProxies", () => {
  it("trusts the addresses listed and no others", () => {
    const proxies = parseTrustedProxies("loopback, 10.0.0.0/8");
    if ("invalid" in proxies) throw new Error("a valid list was refused");
    expect(proxies.isTrusted("10.1.2.3")).toBe(true);
    expect(proxies.isTrusted("::1")).toBe(true);
    expect(proxies.isTrusted("203.0.113.7")).toBe(false);
  });

  it("trusts nobody when nothing is listed", () => {
    const proxies = parseTrustedProxies("  ");
    if ("invalid" in proxies) throw new Error("an empty list was refused");
    expect(proxies.isTrusted("127.0.0.1")).toBe(false);
  });

  it("reports what it cannot read by position", () => {
    expect(parseTrustedProxies("loopback, nginx")).toEqual({ invalid: [2] });
  });
});
