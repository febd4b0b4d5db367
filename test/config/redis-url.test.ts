import { describe, expect, test } from "vitest";
import { readConfig } from "../../src/config/read.ts";
import { redisTarget } from "../../src/config/redis.ts";
import { parseRedisHost, parseRedisUrl } from "../../src/config/redis-url.ts";

const nobody = { username: null, password: null, db: 0 };

describe("REDIS_URL", () => {
  test.each([
    ["", null],
    ["redis://cache", { host: "cache", port: 6379, tls: false, ...nobody }],
    ["REDIS://cache:7000/", { host: "cache", port: 7000, tls: false, ...nobody }],
    ["redis://[::1]/3", { host: "::1", port: 6379, tls: false, ...nobody, db: 3 }],
    [
      "rediss://me:p%40%23@cache:1/15",
      { host: "cache", port: 1, tls: true, username: "me", password: "p@#", db: 15 },
    ],
    ["redis://:p@cache", { host: "cache", port: 6379, tls: false, ...nobody, password: "p" }],
    ["unix:///run/v.sock", { path: "/run/v.sock", ...nobody }],
    [
      "unix:///run/v%20.sock?db=2&user=me&password=p",
      { path: "/run/v .sock", username: "me", password: "p", db: 2 },
    ],
  ])("reads %s", (text, value) => {
    expect(parseRedisUrl(text)).toEqual({ value });
  });

  test.each([
    ["http://cache", "redis_url"],
    ["cache:6379", "redis_url"],
    ["redis://", "redis_url"],
    ["redis://cache/name", "redis_url"],
    ["redis://cache?db=1", "redis_url"],
    ["redis://ca che", "redis_url"],
    ["redis://cache:port", "redis_url"],
    ["unix://run/v.sock", "redis_url"],
    ["unix:///", "redis_url"],
    ["unix:///run/v.sock?pasword=p", "redis_url"],
    ["redis://one,two", "database_url_hosts"],
    ["redis://:a#b@cache", "database_url_character"],
    ["redis://:a/b@cache", "database_url_character"],
    ["redis://:100%@cache", "database_url_character"],
  ])("refuses %s", (text, key) => {
    expect(parseRedisUrl(text)).toMatchObject({ problem: { key } });
  });
});

test.each(["one,two", "cache:6379", "redis://cache", "a b"])("REDIS_HOST refuses %s", (text) => {
  expect(parseRedisHost(text)).toHaveProperty("problem");
});

describe("the shared store", () => {
  const read = (env: Readonly<Record<string, string>>, file = "") => readConfig(env, () => file);
  const target = (env: Readonly<Record<string, string>>) => {
    const result = read(env);
    return "config" in result ? redisTarget(result.config) : result.problems;
  };

  test("is the URL's, else the host's", () => {
    const older = { REDIS_HOST: "old", REDIS_PORT: "7000", REDIS_PASSWORD: "p#1" };
    expect(target({})).toBeNull();
    expect(target(older)).toEqual({
      host: "old",
      port: 7000,
      tls: false,
      ...nobody,
      password: "p#1",
    });
    expect(target({ ...older, REDIS_URL: "redis://new" })).toMatchObject({
      host: "new",
      password: null,
    });
  });

  test("needs a host for a password, and TLS for an authority", () => {
    expect(target({ REDIS_PASSWORD: "p" })).toMatchObject([
      { name: "REDIS_PASSWORD", key: "needs" },
    ]);
    expect(read({ REDIS_CA_FILE: "/ca", REDIS_URL: "redis://x" }, "-----BEGIN x")).toMatchObject({
      problems: [{ name: "REDIS_CA_FILE", key: "needs_rediss" }, { key: "file_not_certificate" }],
    });
  });
});
