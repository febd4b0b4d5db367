import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AddressHeaders,
  type ClientAddress,
  createClientAddress,
} from "../../../src/http/address/client-address.ts";
import { normaliseAddress } from "../../../src/http/address/ip.ts";
import { parseTrustedProxies } from "../../../src/http/address/trusted-proxies.ts";

function resolverFor(trustedProxies: string) {
  const trusted = parseTrustedProxies(trustedProxies);
  if ("invalid" in trusted) throw new Error("the test's own proxies are invalid");
  return createClientAddress(trusted);
}

const resolve = resolverFor("loopback private cloudflare 2001:db8:ffff::/48");

const PROXY = "10.0.0.1";
const CLIENT = "203.0.113.7";
const CLIENT6 = "2001:db8:1:2::7";
const FAKE = "198.51.100.66";

describe("a client cannot choose its address", () => {
  /** What a client may send. Every value claims another address, mostly FAKE, in some way. */
  const lies: [string, AddressHeaders][] = [
    ["nothing", {}],
    ["one hop", { "x-forwarded-for": FAKE }],
    ["a trusted hop", { "x-forwarded-for": "10.0.0.9" }],
    ["loopback", { "x-forwarded-for": "127.0.0.1" }],
    ["a chain", { "x-forwarded-for": `${FAKE}, 10.0.0.9, 172.64.0.5` }],
    ["a chain of trusted hops", { "x-forwarded-for": "10.0.0.9, 127.0.0.1, ::1" }],
    ["a thousand hops", { "x-forwarded-for": Array(1_000).fill(FAKE).join(",") }],
    ["a thousand trusted hops", { "x-forwarded-for": Array(1_000).fill(PROXY).join(",") }],
    ["several lines", { "x-forwarded-for": [FAKE, "10.0.0.9", FAKE] }],
    ["a hop with a port", { "x-forwarded-for": `${FAKE}:443` }],
    ["an IPv6 hop", { "x-forwarded-for": "2001:db8:bad::1" }],
    ["an IPv6 hop with a port", { "x-forwarded-for": "[2001:db8:bad::1]:443" }],
    ["a mapped trusted hop", { "x-forwarded-for": "::ffff:10.0.0.9" }],
    ["a mapped hop in hex", { "x-forwarded-for": "::ffff:c633:6442" }],
    ["an empty header", { "x-forwarded-for": "" }],
    ["commas", { "x-forwarded-for": ",,,," }],
    ["a hop and a comma", { "x-forwarded-for": `${FAKE},` }],
    ["garbage", { "x-forwarded-for": "<script>, ' or 1=1" }],
    ["the word unknown", { "x-forwarded-for": "unknown" }],
    ["a quoted hop", { "x-forwarded-for": `"${FAKE}"` }],
    ["an open quote", { "x-forwarded-for": `"${FAKE}` }],
    ["Forwarded", { forwarded: `for=${FAKE}` }],
    ["Forwarded, an open quote", { forwarded: `for=${FAKE};host="` }],
    ["Forwarded, an open quote and an escape", { forwarded: `for=${FAKE};host="\\` }],
    ["Forwarded, an open pair", { forwarded: `for=${FAKE};for=` }],
    ["Forwarded in several lines", { forwarded: [`for=${FAKE}`, "for=10.0.0.9"] }],
    ["Forwarded, trusted hops", { forwarded: "for=10.0.0.9, for=127.0.0.1" }],
    ["both", { "x-forwarded-for": FAKE, forwarded: `for=${FAKE}` }],
    ["CF-Connecting-IP", { "cf-connecting-ip": FAKE }],
    ["CF-Connecting-IPv6", { "cf-connecting-ipv6": "2001:db8:bad::1" }],
    ["True-Client-IP", { "true-client-ip": FAKE }],
    ["X-Real-IP", { "x-real-ip": FAKE }],
    ["X-Client-IP and its like", { "x-client-ip": FAKE, "x-cluster-client-ip": FAKE }],
    ["Fly-Client-IP and its like", { "fly-client-ip": FAKE, "fastly-client-ip": FAKE }],
    ["Via and Host", { via: `1.1 ${FAKE}`, host: FAKE }],
  ];

  const lineOf = (value: string | string[] | undefined) =>
    Array.isArray(value) ? value.join(", ") : value;

  /** As nginx's $proxy_add_x_forwarded_for, Caddy, Traefik and Cloudflare do. */
  const appending =
    (...hops: string[]) =>
    (sent: AddressHeaders): AddressHeaders => {
      const before = lineOf(sent["x-forwarded-for"]);
      const list = before === undefined ? hops : [before, ...hops];
      return { ...sent, "x-forwarded-for": list.join(", ") };
    };

  const addingLine =
    (hop: string) =>
    (sent: AddressHeaders): AddressHeaders => ({
      ...sent,
      "x-forwarded-for": [sent["x-forwarded-for"] ?? [], hop].flat(),
    });

  /** A proxy that writes only Forwarded has to remove the other header. */
  const forwarding =
    (element: string) =>
    (sent: AddressHeaders): AddressHeaders => {
      const { "x-forwarded-for": _removed, ...rest } = sent;
      const before = lineOf(sent.forwarded);
      return { ...rest, forwarded: before === undefined ? element : `${before}, ${element}` };
    };

  const unchanged = (sent: AddressHeaders) => sent;
  const nobody = resolverFor("");

  const networks = [
    {
      via: "straight, nobody trusted",
      resolve: nobody,
      peer: CLIENT,
      write: unchanged,
      is: CLIENT,
    },
    { via: "straight", resolve, peer: CLIENT, write: unchanged, is: CLIENT },
    { via: "a dual-stack socket", resolve, peer: `::ffff:${CLIENT}`, write: unchanged, is: CLIENT },
    { via: "IPv6", resolve, peer: CLIENT6, write: unchanged, is: CLIENT6 },
    { via: "one proxy", resolve, peer: PROXY, write: appending(CLIENT), is: CLIENT },
    {
      via: "a mapped proxy",
      resolve,
      peer: "::ffff:10.0.0.1",
      write: appending(CLIENT),
      is: CLIENT,
    },
    {
      via: "an IPv6 proxy",
      resolve,
      peer: "2001:db8:ffff::1",
      write: appending(CLIENT6),
      is: CLIENT6,
    },
    {
      via: "a proxy that adds a line",
      resolve,
      peer: PROXY,
      write: addingLine(CLIENT),
      is: CLIENT,
    },
    {
      via: "a proxy that writes ports",
      resolve,
      peer: PROXY,
      write: appending(`${CLIENT}:5678`),
      is: CLIENT,
    },
    {
      via: "Cloudflare and nginx",
      resolve,
      peer: "127.0.0.1",
      write: appending(CLIENT, "172.64.0.5"),
      is: CLIENT,
    },
    {
      via: "three proxies",
      resolve,
      peer: "::1",
      write: appending(CLIENT6, "2606:4700::1", PROXY),
      is: CLIENT6,
    },
    {
      via: "a proxy nobody listed",
      resolve,
      peer: "192.0.2.1",
      write: appending(CLIENT),
      is: "192.0.2.1",
    },
    { via: "Forwarded", resolve, peer: PROXY, write: forwarding(`for=${CLIENT}`), is: CLIENT },
    {
      via: "Forwarded in full",
      resolve,
      peer: PROXY,
      write: forwarding(`proto=https;For="[${CLIENT6}]:4711";by=_hidden;host="chat.example"`),
      is: CLIENT6,
    },
    {
      via: "Forwarded over two proxies",
      resolve,
      peer: PROXY,
      write: forwarding(`for=${CLIENT};proto=https, for=172.64.0.5`),
      is: CLIENT,
    },
  ];

  const rows = networks.flatMap(({ via, ...network }) =>
    lies.map(([lie, sent]) => ({ name: `${via}, with ${lie}`, sent, ...network })),
  );

  it.each(rows)("$name", ({ resolve: resolveClient, peer, write, sent, is }) => {
    const { address, bucket } = resolveClient(peer, write(sent));
    expect(address).toBe(is);
    expect(bucket).toBe(is === CLIENT6 ? "2001:db8:1:2::/64" : is);
  });

  it("is tried in hundreds of ways", () => {
    expect(rows.length).toBeGreaterThan(500);
  });

  it.each([
    ["in a quoted value", `for=${CLIENT};host="x,for=${FAKE}"`],
    ["behind an escaped quote", `for=${CLIENT};host="x\\",for=${FAKE};x=\\"y"`],
    ["as a second for", `for=${CLIENT};host=x;for=${FAKE}`],
    ["as a quoted second for", `for=${CLIENT};host="x;for=${FAKE}"`],
    ["between quotes two parties left open", `for=${FAKE};x=", for=${CLIENT};host=a"`],
  ])("not even when the proxy copies its host %s", (_where, forwarded) => {
    expect([CLIENT, PROXY]).toContain(resolve(PROXY, { forwarded }).address);
  });
});

describe("the walk from the right", () => {
  it.each([
    // X-Forwarded-For behind a trusted peer: value, address
    [`${FAKE}, ${CLIENT}`, CLIENT],
    [`${FAKE},${CLIENT}`, CLIENT],
    [`${FAKE} ,\t${CLIENT} `, CLIENT],
    [`${CLIENT}, 10.0.0.2, 192.168.0.2`, CLIENT],
    [`${CLIENT}:1234, 10.0.0.2:80`, CLIENT],
    [CLIENT6, CLIENT6],
    [`[${CLIENT6}]`, CLIENT6],
    [`[${CLIENT6}]:1234`, CLIENT6],
    ["2001:DB8:1:2:0:0:0:7", CLIENT6],
    [`${CLIENT6}%eth0`, CLIENT6],
    [`::ffff:${CLIENT}`, CLIENT],
    [`[::ffff:${CLIENT}]:80`, CLIENT],
    [`${CLIENT}, ::ffff:10.0.0.2`, CLIENT],
    [`${CLIENT}, ::ffff:a00:2`, CLIENT],
    // All hops trusted: the leftmost.
    ["10.0.0.4, 10.0.0.3, 10.0.0.2", "10.0.0.4"],
    ["::1", "::1"],
    // A hop that cannot be read ends the walk at the last good one.
    [`${CLIENT}, oops, 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, , 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, unknown, 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, _hidden, 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, 10.0.0.3:, 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, 10.0.0.3:123456, 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, 10.0.0.3:8o, 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, 10.0.0.03, 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, [10.0.0.3], 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, [::1, 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, [::1]80, 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, [::1]], 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, "10.0.0.3", 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, 10.0.0.3 10.0.0.4, 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, 10.0.0.0/8, 10.0.0.2`, "10.0.0.2"],
    [`${CLIENT}, 10.0.0.3\0, 10.0.0.2`, "10.0.0.2"],
    // At worst the peer itself.
    [`${CLIENT}, oops`, PROXY],
    [`${CLIENT},`, PROXY],
    ["", PROXY],
    [",", PROXY],
  ])("X-Forwarded-For %j names %s", (value, address) => {
    expect(resolve(PROXY, { "x-forwarded-for": value }).address).toBe(address);
  });

  it.each([
    [`for=${CLIENT}`, CLIENT],
    [`FOR=${CLIENT}`, CLIENT],
    [`for="${CLIENT}"`, CLIENT],
    [`for="${CLIENT}:47011"`, CLIENT],
    [`for=${CLIENT}:47011`, CLIENT],
    [`for="${CLIENT}:_port"`, CLIENT],
    [`for="[${CLIENT6}]"`, CLIENT6],
    [`for="[${CLIENT6}]:47011"`, CLIENT6],
    [`for=[${CLIENT6}]`, CLIENT6],
    [`for="[::ffff:${CLIENT}]"`, CLIENT],
    ['for="203.0.113\\.7"', CLIENT],
    [`by=${PROXY};for=${CLIENT};proto=http;host=a.example:80`, CLIENT],
    [`by=${PROXY}; for=${CLIENT} ;proto=http;`, CLIENT],
    [`for=${FAKE};proto=http, for=${CLIENT};proto=https, for=10.0.0.2`, CLIENT],
    [`for=${FAKE}, for="unclosed, for=${CLIENT}`, CLIENT],
    ["for=10.0.0.4, for=10.0.0.3", "10.0.0.4"],
    [`for=${CLIENT}, for=unknown, for=10.0.0.2`, "10.0.0.2"],
    [`for=${CLIENT}, for=_hidden, for=10.0.0.2`, "10.0.0.2"],
    [`for=${CLIENT}, for="_SEVKISEK", for=10.0.0.2`, "10.0.0.2"],
    [`for=${CLIENT}, proto=https, for=10.0.0.2`, "10.0.0.2"],
    [`for=${CLIENT}, for=10.0.0.3;for=10.0.0.4, for=10.0.0.2`, "10.0.0.2"],
    [`for=${CLIENT}, for, for=10.0.0.2`, "10.0.0.2"],
    [`for=${CLIENT}, for=, for=10.0.0.2`, "10.0.0.2"],
    [`for=${CLIENT}, for="", for=10.0.0.2`, "10.0.0.2"],
    [`for=${CLIENT}, for="10.0.0.3, for=10.0.0.2`, "10.0.0.2"],
    [`for=${CLIENT}, for = 10.0.0.3, for=10.0.0.2`, "10.0.0.2"],
    [`for=${CLIENT}, 10.0.0.3, for=10.0.0.2`, "10.0.0.2"],
    [CLIENT, PROXY],
    ["for=unknown", PROXY],
    ["", PROXY],
  ])("Forwarded %j names %s", (value, address) => {
    expect(resolve(PROXY, { forwarded: value }).address).toBe(address);
  });

  it("ends after 32 hops", () => {
    const chain = (trustedHops: number) =>
      [FAKE, ...Array(trustedHops).fill("10.0.0.2")].join(", ");
    expect(resolve(PROXY, { "x-forwarded-for": chain(31) }).address).toBe(FAKE);
    expect(resolve(PROXY, { "x-forwarded-for": chain(32) }).address).toBe("10.0.0.2");
    expect(resolve(PROXY, { "x-forwarded-for": chain(5_000) }).address).toBe("10.0.0.2");
  });

  it("stays at the last good hop when the next is monstrous", () => {
    const value = `${CLIENT}, ${"1".repeat(15_000)}, 10.0.0.2`;
    expect(resolve(PROXY, { "x-forwarded-for": value }).address).toBe("10.0.0.2");
    const fillers = ["\\", '\\"', '"', ";", "for=", "=", " "];
    for (const filler of fillers) {
      const forwarded = `for="${filler.repeat(15_000 / filler.length)}`;
      expect(resolve(PROXY, { forwarded }).address).toBe(PROXY);
    }
  });

  it("takes several lines as one list, in order", () => {
    const lines = [`${FAKE}, ${CLIENT}`, "10.0.0.3", "10.0.0.2"];
    expect(resolve(PROXY, { "x-forwarded-for": lines }).address).toBe(CLIENT);
    const forwarded = [`for=${FAKE}`, `for=${CLIENT}`, "for=10.0.0.2"];
    expect(resolve(PROXY, { forwarded }).address).toBe(CLIENT);
  });

  it("reads Forwarded only where there is no X-Forwarded-For at all", () => {
    const forwarded = `for=${FAKE}`;
    expect(resolve(PROXY, { forwarded, "x-forwarded-for": CLIENT }).address).toBe(CLIENT);
    expect(resolve(PROXY, { forwarded, "x-forwarded-for": "oops" }).address).toBe(PROXY);
    expect(resolve(PROXY, { forwarded, "x-forwarded-for": "" }).address).toBe(PROXY);
    expect(resolve(PROXY, { forwarded, "x-forwarded-for": undefined }).address).toBe(FAKE);
  });
});

describe("what is told about the answer", () => {
  it.each<[string | undefined, AddressHeaders, ClientAddress["forwarded"]]>([
    [CLIENT, {}, "none"],
    [CLIENT, { "x-forwarded-for": FAKE }, "ignored"],
    [CLIENT, { forwarded: `for=${FAKE}` }, "ignored"],
    [CLIENT, { "cf-connecting-ip": FAKE }, "none"],
    [PROXY, {}, "none"],
    [PROXY, { "x-forwarded-for": CLIENT }, "believed"],
    [PROXY, { "x-forwarded-for": `${CLIENT}, oops, 10.0.0.2` }, "believed"],
    [PROXY, { "x-forwarded-for": "unknown" }, "none"],
    [PROXY, { forwarded: "for=_hidden" }, "none"],
    [undefined, {}, "none"],
    [undefined, { "x-forwarded-for": CLIENT }, "ignored"],
  ])("from %s the headers %j count as %s", (peer, headers, forwarded) => {
    expect(resolve(peer, headers).forwarded).toBe(forwarded);
  });

  it("names the peer beside the client, both in their one spelling", () => {
    const headers = { "x-forwarded-for": "2001:DB8:1:2::7" };
    expect(resolve("::ffff:10.0.0.1", headers)).toEqual({
      address: CLIENT6,
      bucket: "2001:db8:1:2::/64",
      peer: PROXY,
      forwarded: "believed",
    });
  });

  it.each([undefined, "", "/run/parley.sock"])("gives the peer %j one stable bucket", (peer) => {
    expect(resolve(peer, { "x-forwarded-for": FAKE })).toEqual({
      address: "0.0.0.0",
      bucket: "unknown",
      peer: "unknown",
      forwarded: "ignored",
    });
  });
});

describe("any header at all", () => {
  const good = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom("10.0.0.9", "::1", "172.64.0.5", CLIENT),
  );
  const bad = fc.constantFrom(
    "",
    "unknown",
    "_x",
    "1.2.3",
    "1.2.3.4.5",
    "[::1",
    "::1]",
    '"',
    "10.0.0.1:x",
  );
  const peer = fc.constantFrom(PROXY, "::1", "::ffff:10.0.0.1", CLIENT, CLIENT6);

  /** The rule once more, over hops whose meaning is known beforehand. */
  function expected(from: string, hops: (string | null)[]): string {
    const seen = normaliseAddress(from) ?? "";
    const isTrusted = (address: string) =>
      resolve(address, { "x-forwarded-for": FAKE }).forwarded === "believed";
    if (!isTrusted(seen)) return seen;
    const chain = hops
      .toReversed()
      .slice(0, 32)
      .map((hop) => hop && normaliseAddress(hop));
    let last = seen;
    for (const hop of chain) {
      if (hop === null || hop === undefined || hop === "") return last;
      last = hop;
      if (!isTrusted(hop)) return last;
    }
    return last;
  }

  const port = fc.constantFrom("", ":80", ":65535");
  const xffHop = fc.oneof(
    { weight: 4, arbitrary: good.map((address) => ({ text: address, address })) },
    fc.tuple(good, port).map(([address, suffix]) => ({
      text: (address.includes(":") ? `[${address}]` : address) + suffix,
      address,
    })),
    bad.map((text) => ({ text, address: null })),
  );
  const forwardedHop = fc.oneof(
    {
      weight: 3,
      arbitrary: fc
        .tuple(good, port, fc.constantFrom("for", "For", "FOR"))
        .map(([address, suffix, name]) => ({
          text: `${name}="${address.includes(":") ? `[${address}]` : address}${suffix}";proto=https`,
          address,
        })),
    },
    bad.map((text) => ({ text: `for=${text}`, address: null })),
    bad.map((text) => ({ text, address: null })),
  );

  it.each([
    ["x-forwarded-for", xffHop],
    ["forwarded", forwardedHop],
  ] as const)("%s gives the first untrusted hop from the right", (header, hop) => {
    fc.assert(
      fc.property(peer, fc.array(hop, { minLength: 1, maxLength: 40 }), (from, hops) => {
        const headers = { [header]: hops.map(({ text }) => text).join(", ") };
        const address = expected(
          from,
          hops.map((each) => each.address),
        );
        expect(resolve(from, headers).address).toBe(address);
      }),
      { numRuns: 300 },
    );
  });

  it("never throws and never gives an address that nobody trusted named", () => {
    const pieces = fc.constantFrom(
      ",",
      ";",
      '"',
      "\\",
      "for=",
      "For=",
      "[",
      "]",
      ":",
      "%",
      " ",
      CLIENT,
      "10.0.0.9",
      "::1",
      FAKE,
    );
    const bytes = fc
      .uint8Array({ maxLength: 64 })
      .map((raw) => Buffer.from(raw).toString("latin1"));
    const header = fc.oneof(
      bytes,
      fc.string({ unit: "binary" }),
      fc.array(fc.oneof(pieces, bytes), { maxLength: 30 }).map((parts) => parts.join("")),
    );
    const value = fc.oneof(fc.constant(undefined), header, fc.array(header, { maxLength: 4 }));
    fc.assert(
      fc.property(fc.oneof(peer, header), value, value, (from, list, forwarded) => {
        const client = resolve(from, { "x-forwarded-for": list, forwarded });
        const seen = normaliseAddress(from) ?? "0.0.0.0";
        const source = [list ?? forwarded ?? ""].flat().join(",").replaceAll("\\", "");
        if (client.forwarded !== "believed") expect(client.address).toBe(seen);
        else {
          expect(normaliseAddress(client.address)).toBe(client.address);
          expect(resolve(seen, { "x-forwarded-for": FAKE }).address).toBe(FAKE);
          const named = source
            .split(/[^0-9A-Fa-f:.]+/)
            .flatMap((word) => [word, word.split(":")[0] ?? ""]);
          expect(named.map(normaliseAddress)).toContain(client.address);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

it("keeps no long header alive by the short address cut out of it", () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const kept: ClientAddress[] = [];
  collect();
  const beforeBytes = process.memoryUsage().heapUsed;
  for (let index = 0; index < 1_000; index += 1) {
    const padding = String.fromCharCode(97 + (index % 26)).repeat(15_000);
    const line = Buffer.from(`${padding}${index}, 203.113.${100 + (index >> 8)}.${index & 255}`);
    kept.push(resolve(PROXY, { "x-forwarded-for": line.toString("latin1") }));
  }
  collect();
  const growthBytes = process.memoryUsage().heapUsed - beforeBytes;
  expect(kept).toHaveLength(1_000);
  expect(growthBytes).toBeLessThan(3_000_000);
});
