import { SocketAddress } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketOf, normaliseAddress } from "../../../src/http/address/ip.ts";

describe("normaliseAddress", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::FFFF:203.0.113.7", "203.0.113.7"],
    ["::ffff:cb00:7107", "203.0.113.7"],
    ["::FFFF:CB00:7107", "203.0.113.7"],
    ["0:0:0:0:0:ffff:203.0.113.7", "203.0.113.7"],
    ["0000:0000:0000:0000:0000:ffff:cb00:7107", "203.0.113.7"],
    ["::ffff:203.0.113.7%eth0", "203.0.113.7"],
    ["2001:DB8::A", "2001:db8::a"],
    ["2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["0:0:1::", "0:0:1::"],
    ["::", "::"],
    ["::1", "::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["fe80::1%3", "fe80::1"],
    ["::203.0.113.7", "::cb00:7107"],
    ["64:ff9b::203.0.113.7", "64:ff9b::cb00:7107"],
  ])("reads %s as %s", (text, address) => {
    expect(normaliseAddress(text)).toBe(address);
  });

  it.each([
    "",
    " ",
    "unknown",
    "localhost",
    "203.0.113",
    "203.0.113.7.1",
    "203.0.113.256",
    "203.0.113.07",
    "0x7f.0.0.1",
    "2130706433",
    " 203.0.113.7",
    "203.0.113.7\n",
    "203.0.113.7\0",
    "203.0.113.7:80",
    "203.0.113.7%eth0",
    "[::1]",
    "::1%",
    ":::1",
    "1::2::3",
    "12345::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "::ffff:203.0.113.256",
    "::ffff:203.0.113.07",
    "::g",
  ])("refuses garbage: %j", (text) => {
    expect(normaliseAddress(text)).toBeNull();
  });

  it("refuses whatever is longer than an address can be", () => {
    expect(normaliseAddress(`::1%${"x".repeat(100)}`)).toBeNull();
    expect(normaliseAddress("1".repeat(100_000))).toBeNull();
  });

  it("agrees with the operating system's spelling of every IPv6 address but the ones with embedded IPv4", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const system = new SocketAddress({ address: text, family: "ipv6" }).address;
        fc.pre(!system.includes("."));
        expect(normaliseAddress(text)).toBe(system);
      }),
    );
  });

  it("leaves alone what it returned, and never throws", () => {
    const text = fc.oneof(
      fc.ipV6(),
      fc.ipV4Extended(),
      fc.ipV4(),
      fc.string(),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(text, (written) => {
        const address = normaliseAddress(written);
        if (address !== null) expect(normaliseAddress(address)).toBe(address);
      }),
    );
  });
});

describe("bucketOf", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8::/64"],
    ["2001:db8:0:1::1", "2001:db8:0:1::/64"],
    ["2001:0:0:1:ffff::", "2001:0:0:1::/64"],
    ["::1", "::/64"],
    ["::", "::/64"],
    ["64:ff9b::1.2.3.4", "1.2.3.4"],
    ["64:ff9b::5.6.7.8", "5.6.7.8"],
    ["64:ff9b::10.0.0.1", "10.0.0.1"],
    ["64:ff9b:1::192.168.0.9", "192.168.0.9"],
    ["64:ff9b:1:fffe::203.0.113.7", "203.0.113.7"],
    ["64:ff9b:1:cb00:71:700::", "203.0.113.7"],
    ["64:ff9b:2::203.0.113.7", "64:ff9b:2::/64"],
    ["2002:cb00:7107::1", "203.0.113.7"],
    ["2002:cb00:7107:ffff:1:2:3:4", "203.0.113.7"],
    ["2001:0:4136:e378:8000:63bf:34ff:8ef8", "203.0.113.7"],
    ["::203.0.113.7", "203.0.113.7"],
    ["::ffff:0:203.0.113.7", "203.0.113.7"],
    ["64:ff9b::0.0.0.1", "64:ff9b::/64"],
  ])("counts %s under %s", (address, bucket) => {
    expect(bucketOf(normaliseAddress(address) ?? "")).toBe(bucket);
  });

  it("gives all addresses of one /64 one bucket, and those of another a different one", () => {
    const half = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 });
    const written = (groups: number[]) =>
      normaliseAddress(groups.map((group) => group.toString(16)).join(":")) ?? "";
    fc.assert(
      fc.property(half, half, half, half, (network, other, host, otherHost) => {
        // All-zero networks hold the IPv4-mapped addresses, which are IPv4.
        fc.pre(network.some((group) => group !== 0) && other.some((group) => group !== 0));
        const bucket = bucketOf(written([...network, ...host]));
        expect(bucketOf(written([...network, ...otherHost]))).toBe(bucket);
        const same = network.every((group, index) => group === other[index]);
        expect(bucketOf(written([...other, ...host])) === bucket).toBe(same);
      }),
    );
  });
});
