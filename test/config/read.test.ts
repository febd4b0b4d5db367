import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Setting } from "../../src/config/kinds.ts";
import { type ConfigProblem, type Environment, readConfig } from "../../src/config/read.ts";
import { type Config, type SettingName, settings } from "../../src/config/settings.ts";
import { createTranslate, languages } from "../../src/locales.ts";
import { certPath, keyPath } from "../support/certificate.ts";

const names = Object.keys(settings) as SettingName[];
const noFile = (path: string): string => {
  throw new Error(`no file ${path}`);
};

const read = (path: string) => readFileSync(path, "utf8");

/** Without functions, which can't be compared. */
const plain = (config: Config): unknown => JSON.parse(JSON.stringify(config));

function good(env: Environment, readFile = noFile): Config {
  const read = readConfig(env, readFile);
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  return read.config;
}

function problemsOf(env: Environment, readFile = noFile): readonly ConfigProblem[] {
  const read = readConfig(env, readFile);
  return "problems" in read ? read.problems : [];
}

/** One text serves as any certificate and as any key. */
const pem = read(certPath) + read(keyPath);
const readPem = () => pem;

const kindOf = (name: SettingName): Setting => settings[name];
type CustomName = {
  [N in SettingName]: (typeof settings)[N]["kind"] extends "custom" ? N : never;
}[SettingName];

/** Values that each setting with a parser of its own takes, and more values for other settings. */
const taken: Record<CustomName, readonly string[]> &
  Partial<Record<SettingName, readonly string[]>> = {
  HOST: ["::", "0.0.0.0", "127.0.0.1", "localhost", "my-host.example", "fe80::1%eth0"],
  ROUTE: ["/", "api", "/api/"],
  LANG: ["en", "zh_CN.UTF-8", "C", "fr_FR", "привет"],
  API_KEY: ["sk-a", "sk-a,sk-b", "sk-a sk-b\nsk-c"],
  OPENAI_URL: ["https://api.openai.com/v1", "http://127.0.0.1:8080", "https://x/?api-version=1"],
  OPENAI_PROXY: [
    "http://proxy:3128",
    "https://u:p@proxy",
    "socks5://127.0.0.1:1080",
    "socks5h://x",
    "http://proxy:3128/",
    "socks5://u:p%40@127.0.0.1:1080/",
    "http://%E7%94%A8:p%20w@proxy",
  ],
  TRUSTED_PROXIES: ["loopback", "10.0.0.0/8, cloudflare 2001:db8::/32"],
  ALLOWED_IPS: ["203.0.113.7", "10.0.0.0/8\n::1"],
  WS_ORIGINS: ["*", "https://a.example, http://b.example:8080"],
  ON_DISCONNECT: ["cancel", "drain:1", "drain:3600"],
  DATABASE_ADDRESS: ["127.0.0.1:5432", "db", "[::1]:5432", "db.example:5432"],
  DATABASE_PASSWORD: ["a b#/?%"],
  DATABASE_URL: ["postgres://u:p@127.0.0.1:5432/db", "postgresql://host/db"],
  REDIS_URL: [
    "redis://127.0.0.1",
    "rediss://user:p%40@cache.example:6380/2",
    "redis://:p@[::1]:6379",
    "unix:///run/valkey.sock?db=1&password=p",
  ],
  REDIS_HOST: ["127.0.0.1", "cache.example", "::1", "[::1]"],
  REDIS_PASSWORD: ["a b#/?%"],
  SECRET_KEY: ["k".repeat(32), `${"k".repeat(32)},${"l".repeat(40)}`],
  ACCESS_TOKEN: ["123456", "!~"],
  ADMIN_TOKEN: ["0123456789abcdef"],
  METRICS_TOKEN: ["let-me-in", "!~"],
  ALERT_URL: ["https://alerts.example/hook?x=1", "http://127.0.0.1:8080/"],
  ALERT_SECRET: [`whsec_${"A".repeat(32)}`, `whsec_${Buffer.alloc(64).toString("base64")}`],
};

/** Other settings that a setting needs for some of its values. */
const tls = { GRPC_PORT: "9000", GRPC_TLS_CERT: certPath, GRPC_TLS_KEY: keyPath };
const needed: Partial<Record<SettingName, Environment>> = {
  GRPC_TLS_CERT: tls,
  GRPC_TLS_KEY: tls,
  MAX_TOKENS: { MAX_TOKENS_LIMIT: "1000000000" },
  MAX_TOKENS_LIMIT: { MAX_TOKENS: "1" },
  DATABASE_PASSWORD: { DATABASE_ADDRESS: "127.0.0.1:5432" },
  ENCRYPT_CONTENT: { SECRET_KEY: "k".repeat(32) },
  REDIS_PASSWORD: { REDIS_HOST: "127.0.0.1" },
  REDIS_CA_FILE: { REDIS_URL: "rediss://127.0.0.1" },
  ALERT_URL: { ALERT_SECRET: `whsec_${"A".repeat(32)}` },
};

const notNumbers = [
  "x",
  "-1",
  "+1",
  "1.5",
  "1e3",
  "0x10",
  "1 000",
  "1,000",
  "NaN",
  "Infinity",
  "１２",
  "1\n2",
  "1".repeat(30),
];

/** Values that a setting of this kind takes, and values that it refuses. */
function samplesOf(setting: Setting): Record<"takes" | "refuses", readonly string[]> {
  switch (setting.kind) {
    case "number":
    case "optional-number": {
      const { min, max } = setting;
      const outside = [min - 1, max + 1].map(String);
      return { takes: [min, max].map(String), refuses: [...notNumbers, ...outside] };
    }
    case "choice": {
      const takes = setting.choices.flatMap((one) => [one, one.toUpperCase()]);
      return { takes, refuses: ["x", "-1", "подробно", setting.choices.join("\n")] };
    }
    case "text":
      return {
        takes: ["x", "p w", "vendor/model:tag", "../here", "模型"],
        refuses: ["a\nb", "a\u0000b", "a\tb"],
      };
    case "list":
      return { takes: ["a", "a, b", "a\nb"], refuses: [] };
    case "custom":
      return { takes: [], refuses: [] };
  }
}

/** More values that a setting refuses. */
const refused: Partial<Record<SettingName, readonly string[]>> = {
  HOST: ["a b", "a\nb", "[::]", "хост", "http://x"],
  ROUTE: [
    "a b",
    "a\nb",
    "путь",
    "../x",
    "./x",
    "a/../b",
    "a//b",
    "//",
    "*",
    ":id",
    "a?b",
    "a#b",
    "%2e",
    "a\\b",
    "{x}",
  ],
  API_KEY: ["ключ", "sk-\u0000", "sk-a,sk-é", "“sk-a”"],
  OPENAI_URL: [
    "x",
    "api.openai.com",
    "ftp://x",
    "file:///etc/passwd",
    "https://",
    "https://u:p@x/v1",
    "https://x/#y",
    "https://x\n.evil/v1",
    "https://x y/",
    "javascript:1",
    "-1",
  ],
  OPENAI_PROXY: [
    ...["x", "proxy:3128", "ftp://x", "socks4://x", "http://", "http://pro\nxy", "socks5://"],
    ...["socks5:127.0.0.1:1080", "http://127.0.0.1:7890/path", "http://127.0.0.1:7890?x=1"],
    ...["http://127.0.0.1:7890/#f", "http://127.0.0.1:7890#", "http://127.0.0.1:7890/?"],
    ...["http://u:100%@proxy", "http://u:p%zz@proxy", "socks5://u:%F0%9F@proxy"],
    ...["http://user:pw@127.0.0.1:7890/path", "socks5://127.0.0.1:1080/path", "http://h//"],
    "https://example.org/api/grab?url=https://example.org/api/grab?url=http://localhost:7890",
  ],
  WS_ORIGINS: [
    ...["example.org", "https://", "https://a.example/path", "https://a.example?x"],
    ...["https://a.example, b.example", "https://u:p@a.example", "https://a.example#x", "null"],
    ...["https://*.example.org", "*, https://*"],
  ],
  DATABASE_URL: ["x", "http://host/db", "postgres://u:1#word@host/db", "postgres://u:p@ho st/db"],
  DATABASE_ADDRESS: [
    ...["postgres://host", "host:port", "a b", "host/name", "u:p@host", "host?x", "host#x", "/"],
    "host:99999",
  ],
  TRUSTED_PROXIES: [
    "x",
    "10.0.0.0/33",
    "loopback, localhost",
    "10.0.0.0/-1",
    "010.0.0.1",
    "::1/129",
    "*",
    "прокси",
  ],
  ALLOWED_IPS: ["x", "10.0.0.256", "10.0.0.0/8/8", "1", "10.0.0.0-10.0.0.9", "-1"],
  LOG_LEVEL: ["trace"],
  ALERT_URL: ["alerts.example", "ftp://x/", "https://u:p@x/", "https://x/#y", "https://x/ y"],
  ALERT_SECRET: ["whsec_", "A".repeat(32), `whsec_${"A".repeat(31)}`, `whsec_${"?".repeat(32)}`],
  METRICS_TOKEN: ["a b", "a\nb", "пароль", "a\u0000"],
  ACCESS_TOKEN: ["a b", "a\nb", "пароль"],
  CHATS_ACCESS: ["all"],
  ENCRYPT_CONTENT: ["1"],
};

const taking = names.flatMap((name) =>
  [...samplesOf(kindOf(name)).takes, ...(taken[name] ?? [])].map((value) => [name, value] as const),
);
const mistakes = names.flatMap((name) =>
  [...samplesOf(kindOf(name)).refuses, ...(refused[name] ?? [])].map(
    (value) => [name, value] as const,
  ),
);
const named = (...kinds: Setting["kind"][]) =>
  names.filter((name) => kinds.includes(kindOf(name).kind));

describe("a setting", () => {
  test.each(names)("%s counts as unset when it is empty or blank", (name) => {
    const unset = plain(good({}));
    for (const value of ["", " ", "\n", "\t "])
      expect(plain(good({ [name]: value }))).toEqual(unset);
  });

  test.each(taking)("%s takes %j, also with blanks around it", (name, value) => {
    const configOf = (text: string) => plain(good({ ...needed[name], [name]: text }, readPem));
    expect(configOf(` ${value}\n`)).toEqual(configOf(value));
  });

  test.each(mistakes)("%s does not take %j", (name, value) => {
    const found = problemsOf({ ...needed[name], [name]: value }, readPem);
    expect(found.map((problem) => problem.name)).toEqual([name]);
  });

  test("is read also from a variable whose name begins with a byte order mark", () => {
    expect(plain(good({ "\ufeffMODEL": "x" }))).toEqual(plain(good({ MODEL: "x" })));
  });

  test.each(["", " ", "1"])("WORKERS=%j, of earlier versions, is ignored", (value) => {
    expect(plain(good({ WORKERS: value }))).toEqual(plain(good({})));
  });

  test.each(["2", "auto", "0"])("WORKERS=%s is refused, and the text says what to do", (value) => {
    const [problem, ...others] = problemsOf({ WORKERS: value });
    expect(others).toEqual([]);
    const text = createTranslate()("en", `config_problem.${problem?.key}`);
    expect(text).toBe("WORKERS is gone. Run more instances behind a proxy.");
  });

  test("never shows its wrong value", () => {
    const translate = createTranslate();
    for (const [name, value] of mistakes) {
      const [problem] = problemsOf({ [name]: `${value}CANARY` });
      if (problem === undefined) continue;
      for (const language of languages) {
        const text = translate(language, `config_problem.${problem.key}`, problem.params ?? {});
        expect(text).not.toMatch(/CANARY|config_problem|{{/);
      }
    }
  });

  test.each(named("number", "optional-number"))("%s names its bounds", (name) => {
    const [problem] = problemsOf({ [name]: "x" });
    expect(problem).toMatchObject({ name, key: "whole_number" });
    const { min, max } = problem?.params ?? {};
    for (const bound of [min, max])
      expect(good({ ...needed[name], [name]: String(bound) })[name]).toBe(bound);
  });

  test.each(named("choice"))("%s names its choices, in either case", (name) => {
    const [problem] = problemsOf({ [name]: "x" });
    expect(problem).toMatchObject({ name, key: "choice" });
    for (const one of String(problem?.params?.choices).split(", "))
      expect(good({ ...needed[name], [name]: one.toUpperCase() })[name]).toBe(one);
  });
});

describe("all settings together", () => {
  test("have their documented defaults", () => {
    const config = good({});
    expect(config).toMatchObject({
      PORT: 5000,
      HOST: "::",
      ROUTE: "/",
      LANG: "en",
      API_KEY: [],
      MODEL: "gpt-4o-mini",
      ALLOWED_MODELS: [],
      MAX_TOKENS: 100,
      MAX_TOKENS_LIMIT: 3_500,
      SECOND_LIMIT: 0,
      OPENAI_PROXY: null,
      ALLOWED_IPS: null,
      METRICS_PORT: null,
      METRICS_TOKEN: "",
    });
    expect(config.OPENAI_URL.href).toBe("https://api.openai.com/v1");
    expect(Object.isFrozen(config)).toBe(true);
  });

  test("report every mistake at once", () => {
    const wrong = Object.fromEntries(mistakes);
    const found = problemsOf(wrong, readPem).map(({ name }) => name);
    expect(found.toSorted()).toEqual(Object.keys(wrong).toSorted());
    expect(found.length).toBeGreaterThan(25);
  });

  test.each([
    ["GPT_API_KEY", "API_KEY", ["x"]],
    ["access_token", "ACCESS_TOKEN", "x"],
    ["ACCESS_KEY", "ACCESS_TOKEN", "x"],
    ["BIND_ADDRESS", "HOST", "x"],
  ] as const)("read %s, the name of an older system, as %s", (name, setting, value) => {
    expect(good({ [name]: "x" })[setting]).toEqual(value);
    expect(good({ [name]: "other", [setting]: "x" })[setting]).toEqual(value);
  });

  test.each([
    ["UTF-16", Buffer.from("\ufeffa-secret-of-32-characters-or-more", "utf16le")],
    ["another charset", Buffer.from("pa\xdfword-of-more-than-32-characters", "latin1")],
  ])("do not take a secret from a file in %s", (_encoding, bytes) => {
    const found = problemsOf({ SECRET_KEY_FILE: "/x" }, () => bytes.toString("utf8"));
    expect(found).toMatchObject([{ name: "SECRET_KEY", key: "file_unreadable" }]);
  });

  test("ignore other variables", () => {
    const strangers = { PATH: "x", port: "x", PORT_FILE: "/x", LC_ALL: "\n" };
    expect(plain(good(strangers))).toEqual(plain(good({})));
  });

  test("report contradictions", () => {
    expect(problemsOf({ MAX_TOKENS: "4000" })).toMatchObject([
      { name: "MAX_TOKENS", key: "above", params: { other: "MAX_TOKENS_LIMIT" } },
    ]);
    expect(problemsOf({ ENCRYPT_CONTENT: "on" })).toMatchObject([
      { name: "ENCRYPT_CONTENT", key: "needs", params: { other: "SECRET_KEY" } },
    ]);
    expect(problemsOf({ DATABASE_PASSWORD: "x", DATABASE_USERNAME: "y" })).toMatchObject([
      { name: "DATABASE_PASSWORD", key: "needs", params: { other: "DATABASE_ADDRESS" } },
    ]);
    expect(problemsOf({ PORT: "9464", METRICS_PORT: "9464" })).toMatchObject([
      { name: "METRICS_PORT", key: "same", params: { other: "PORT" } },
    ]);
  });
});

describe("ROUTE", () => {
  test.each([
    ["/", "/"],
    ["api", "/api"],
    ["/api", "/api"],
    ["api/", "/api"],
    ["/api/", "/api"],
    ["my/own/api", "/my/own/api"],
    ["v2", "/v2"],
    ["V1", "/V1"],
    ["chatgpt", "/chatgpt"],
    ["a.b_c~d-e", "/a.b_c~d-e"],
    ["...", "/..."],
    ["api/healthz", "/api/healthz"],
  ])("%s means %s", (text, path) => {
    expect(good({ ROUTE: text }).ROUTE).toBe(path);
  });

  test.each(
    `v1 chat chats chat_complete ask admin whoami healthz readyz metrics docs openapi.json completions
     responses embeddings moderations models images audio messages`.split(/\s+/),
  )("%s is reserved, and so are paths below it", (segment) => {
    for (const text of [segment, `/${segment}/`, `${segment}/x`]) {
      expect(problemsOf({ ROUTE: text })).toEqual([{ name: "ROUTE", key: "route_reserved" }]);
    }
  });
});

describe("LANG", () => {
  test.each(["C", "POSIX", "C.UTF-8", "fr_FR.UTF-8", "xx", "zh_XX@y"])("may be %s", (text) => {
    expect(good({ LANG: text }).LANG).toBe(text);
  });
});

describe("OPENAI_URL", () => {
  test.each([
    ["https://api.openai.com", "https://api.openai.com/v1"],
    ["https://api.openai.com/", "https://api.openai.com/v1"],
    ["https://api.openai.com/v1/", "https://api.openai.com/v1"],
    ["https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1"],
    ["https://api.openai.com/v1/completions/", "https://api.openai.com/v1"],
    ["http://localhost:11434/v1", "http://localhost:11434/v1"],
    [
      "https://x/openai/deployments/y?api-version=2",
      "https://x/openai/deployments/y?api-version=2",
    ],
  ])("%s means %s", (text, url) => {
    expect(good({ OPENAI_URL: text }).OPENAI_URL.href).toBe(url);
  });
});

describe("aliases", () => {
  test.each([
    ["PROXY", "OPENAI_PROXY", "http://proxy:3128/"],
    ["BIND_ADDRESS", "HOST", "127.0.0.1"],
  ] as const)("%s is read as %s, which wins if both are set", (alias, name, value) => {
    expect(String(good({ [alias]: value })[name])).toBe(value);
    const both = good({ [alias]: "not even valid\n!", [name]: value });
    expect(plain(both)).toEqual(plain(good({ [name]: value })));
    expect(String(good({ [alias]: value, [name]: "" })[name])).toBe(value);
    expect(problemsOf({ [alias]: "a b" }).map((problem) => problem.name)).toEqual([name]);
  });
});

describe("secrets in files", () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-config-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const fileWith = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  test.each(["sk-file", "sk-file\n", "sk-file\r\n", " sk-file \n\n"])("%j is sk-file", (text) => {
    const path = fileWith("key", text);
    expect(good({ API_KEY_FILE: path }, read).API_KEY).toEqual(["sk-file"]);
    expect(good({ METRICS_TOKEN_FILE: ` ${path} ` }, read).METRICS_TOKEN).toBe("sk-file");
  });

  test("keys may be on separate lines", () => {
    const path = fileWith("keys", "sk-a\nsk-b\nsk-a\n");
    expect(good({ API_KEY_FILE: path }, read).API_KEY).toEqual(["sk-a", "sk-b"]);
  });

  test.each([
    ["is not there", { GRPC_TLS_CERT: "/nowhere" }, "GRPC_TLS_CERT", "file_missing"],
    ["is not there", { GRPC_TLS_KEY: "/nowhere" }, "GRPC_TLS_KEY", "file_missing"],
    ["is malformed", { GRPC_TLS_CERT: "empty" }, "GRPC_TLS_CERT", "file_not_certificate"],
    ["is malformed", { GRPC_TLS_CERT: "garbage" }, "GRPC_TLS_CERT", "file_not_certificate"],
    ["is malformed", { GRPC_TLS_KEY: "empty" }, "GRPC_TLS_KEY", "file_not_key"],
    ["is malformed", { GRPC_TLS_KEY: "garbage" }, "GRPC_TLS_KEY", "file_not_key"],
    ["belongs to another", { GRPC_TLS_KEY: "other" }, "GRPC_TLS_KEY", "file_not_key"],
  ])("a certificate or key that %s is a mistake: %j", (_what, env, name, key) => {
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    const paths: Environment = {
      empty: fileWith("empty.pem", "\n"),
      garbage: fileWith(
        "garbage.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
      ),
      other: fileWith("other.pem", String(other.export({ type: "pkcs8", format: "pem" }))),
      "/nowhere": "/nowhere",
    };
    const wrong = Object.fromEntries(Object.entries(env).map(([at, path]) => [at, paths[path]]));
    const found = problemsOf({ ...tls, ...wrong }, read);
    expect(found).toMatchObject([{ name, key }]);
    expect(found).toHaveLength(1);
  });

  test("set twice is a mistake, an empty second one is not", () => {
    const path = fileWith("key", "sk-file");
    expect(problemsOf({ API_KEY_FILE: path, API_KEY: "sk-a" }, read)).toEqual([
      { name: "API_KEY", key: "file_and_value", params: { file: "API_KEY_FILE" } },
    ]);
    expect(good({ API_KEY_FILE: path, API_KEY: "" }, read).API_KEY).toEqual(["sk-file"]);
    expect(good({ API_KEY_FILE: "", API_KEY: "sk-a" }, read).API_KEY).toEqual(["sk-a"]);
  });

  test("a file that can't be read is a mistake, without its path", () => {
    for (const path of [join(folder, "nowhere"), folder]) {
      const found = problemsOf({ METRICS_TOKEN_FILE: path }, read);
      expect(found).toEqual([
        { name: "METRICS_TOKEN", key: "file_unreadable", params: { file: "METRICS_TOKEN_FILE" } },
      ]);
      expect(JSON.stringify(found)).not.toContain(folder);
    }
  });

  test("a value from a file is checked like any other", () => {
    const path = fileWith("bad", "клюв");
    expect(problemsOf({ API_KEY_FILE: path }, read)).toEqual([
      { name: "API_KEY", key: "header_characters" },
    ]);
  });

  test("only secrets are read from files", () => {
    const secret = names.filter((name) => (settings[name] as Setting).secret === true);
    expect(secret).toEqual([
      "API_KEY",
      "DATABASE_URL",
      "DATABASE_PASSWORD",
      "SECRET_KEY",
      "ACCESS_TOKEN",
      "ADMIN_TOKEN",
      "REDIS_URL",
      "REDIS_PASSWORD",
      "METRICS_TOKEN",
      "ALERT_URL",
      "ALERT_SECRET",
    ]);
    expect(good({ MODEL_FILE: fileWith("model", "x") }, read).MODEL).toBe("gpt-4o-mini");
  });
});
