/** Which proxy is in between, by the headers that each of them was seen to write. */
import { describe, expect, test } from "vitest";
import { mendLines } from "../../src/doctor/mends.ts";
import { isProxied, proxiesIn } from "../../src/doctor/proxies.ts";

const forwarded = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
const sets = {
  nginx: {
    answered: { server: "nginx/1.29.3" },
    arrived: ["connection", "host", "x-forwarded-for"],
  },
  caddy: { answered: { server: "Caddy", via: "1.1 Caddy" }, arrived: [...forwarded, "via"] },
  traefik: {
    answered: {},
    arrived: [...forwarded, "x-forwarded-port", "x-forwarded-server", "x-real-ip"],
  },
  cloudflare: {
    answered: {
      server: "cloudflare",
      "cf-ray": "9a0b1c2d3e4f5a6b-FRA",
      "cf-cache-status": "DYNAMIC",
    },
    arrived: [...forwarded, "cf-connecting-ip", "cf-ray", "cf-visitor", "cdn-loop"],
  },
} as const;

describe.each(Object.entries(sets))("%s", (name, { answered, arrived }) => {
  test("is known by its headers", () => {
    expect(proxiesIn(answered, arrived)).toEqual([name]);
    expect(isProxied(answered, arrived)).toBe(true);
  });

  test("has lines for streams that come late", () => {
    const lines = mendLines("stream_buffered", {}, proxiesIn(answered, arrived));
    expect(lines).toMatchObject([{ where: name, text: expect.any(String) }]);
  });
});

test("several in a row are all known", () => {
  const answered = { ...sets.cloudflare.answered, via: "1.1 Caddy" };
  expect(proxiesIn(answered, sets.cloudflare.arrived)).toEqual(["caddy", "cloudflare"]);
});

test("without a proxy there is none, and one that says nothing is still noticed", () => {
  const plain = ["accept-language", "authorization", "connection", "host"];
  expect([proxiesIn({}, plain), isProxied({}, plain)]).toEqual([[], false]);
  expect(isProxied({}, [...plain, "x-forwarded-for"])).toBe(true);
});

test("values of the finding are filled into the lines", () => {
  const path = { path: "/parley" };
  expect(mendLines("prefix_kept", path, ["caddy"])[0]?.text).toContain("handle_path /parley/* {");
  expect(mendLines("address_untrusted", { peer: "172.18.0.2" }, [])).toEqual([
    { where: ".env", text: "TRUSTED_PROXIES=172.18.0.2" },
  ]);
});
