import { expect, test } from "vitest";
import { secretsOf } from "../../src/compose/secrets.ts";
import { settings } from "../../src/config/settings.ts";

const NONE = {
  ALERT_URL: null,
  ALERT_SECRET: null,
  API_KEY: [],
  SECRET_KEY: [],
  ADMIN_TOKEN: null,
  METRICS_TOKEN: "",
  ACCESS_TOKEN: "",
  DATABASE_PASSWORD: "",
  REDIS_PASSWORD: "",
  REDIS_URL: null,
  DATABASE_URL: null,
  OPENAI_PROXY: null,
  OPENAI_URL: new URL("https://service.example/v1?api-version=2026-01-01"),
};

test("without secrets there are none", () => {
  expect(secretsOf(NONE)).toEqual([]);
});

test("those of lists and of URLs are found, as they are and as they are written", () => {
  const found = secretsOf({
    ...NONE,
    API_KEY: ["one", "two"],
    SECRET_KEY: ["new", "old"],
    DATABASE_URL: "postgres://user:p%40ss@db/parley",
    OPENAI_PROXY: new URL("socks5://user:proxy-pass@127.0.0.1:1080"),
    OPENAI_URL: new URL("https://service.example/v1?api-version=1&key=url-key"),
    ALERT_URL: new URL("https://hooks.example/services/0123456789abcdef"),
    ALERT_SECRET: Buffer.from("an alert's secret"),
  });
  const alert = ["0123456789abcdef", Buffer.from("an alert's secret").toString("base64")];
  const expected = [
    ...alert,
    "one",
    "two",
    "new",
    "old",
    "p@ss",
    "p%40ss",
    "proxy-pass",
    "url-key",
  ];
  expect(new Set(found)).toEqual(new Set(expected));
});

test("every setting that is a secret is among them", () => {
  const secret = Object.entries(settings).flatMap(([name, one]) => (one.secret ? [name] : []));
  expect(Object.keys(NONE)).toEqual(expect.arrayContaining(secret));
});
