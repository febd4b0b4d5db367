import { describe, expect, test } from "vitest";
import { parseDatabaseAddress, parseDatabaseUrl } from "../../src/config/database-url.ts";
import { explainProblems, readConfig } from "../../src/config/read.ts";
import { languages } from "../../src/locales.ts";

const read = (env: Readonly<Record<string, string>>) => readConfig(env, () => "");

describe("DATABASE_URL", () => {
  test.each([
    "postgres://host/name",
    "postgresql://user@host:5432/name",
    "POSTGRES://user@host/name",
    "postgres://user:p%23%2F%3F%40@host/name",
    "postgres://user:with@sign@host/name",
    "postgres://user:a,b@host/name",
    "postgres://user:100%@host/name",
    "postgres://user@[::1]:5432/name",
    "postgres:///name?host=/run/postgresql",
    "postgres://user@%2Frun%2Fpostgresql/name",
    "postgres://host/name?sslmode=verify-full&sslrootcert=/etc/ca.pem",
    "postgres://host/name?sslmode=no-verify",
    "postgres://host/name?options=-csearch_path%3Dparley",
  ])("takes %s", (url) => {
    expect(parseDatabaseUrl(url)).toEqual({ value: url });
  });

  test.each([
    ["mysql://host/name", "database_url", {}],
    ["host=localhost dbname=x", "database_url", {}],
    ["postgres:host/name", "database_url", {}],
    ["postgres://user:a#b@host/name", "database_url_character", { code: "%23" }],
    ["postgres://user:12#3@host/name", "database_url_character", { code: "%23" }],
    ["postgres://user:a/b@host/name", "database_url_character", { code: "%2F" }],
    ["postgres://user:12/3@host/name", "database_url_character", { code: "%2F" }],
    ["postgres://user:a?b@host/name", "database_url_character", { code: "%3F" }],
    ["postgres://user:a%e4b@host/name", "database_url_character", { code: "%25" }],
    ["postgres://user@one:5432,two:5432/name", "database_url_hosts", {}],
    ["postgres://one,two/name", "database_url_hosts", {}],
    ["postgres:///name?host=one,two", "database_url_hosts", {}],
    ["postgres://host/name?schema=parley", "database_url_schema", { name: "schema" }],
    ["postgres://host/name?sslmode=require&search_path=a", "database_url_schema", {}],
    ["postgres://username:[email protected]:5433/database", "database_url_host", {}],
    ["postgres://user@host:port/name", "database_url_host", {}],
    ["postgres://user@host:99999/name", "database_url_host", {}],
    ["postgres://user@ho st/name", "database_url_host", {}],
    ["postgres://host/name?sslmode=on", "database_url_sslmode", {}],
    ["postgres://host/name?sslmode=verify-ca", "database_url_root", {}],
  ])("does not take %s, and says why", (url, key, params) => {
    expect(parseDatabaseUrl(url)).toMatchObject({ problem: { key } });
    if ("code" in params) {
      expect(parseDatabaseUrl(url)).toMatchObject({ problem: { params } });
    }
    for (const language of languages) {
      const result = read({ DATABASE_URL: url });
      if (!("problems" in result)) throw new Error("it was taken");
      const text = explainProblems(result.problems, language);
      expect(text).toContain("DATABASE_URL: ");
      expect(text).not.toMatch(/user|host\/|12|\{\{|config_problem/);
    }
  });
});

test.each(["one:1,two:2", "host/name", "host:port", "user@host", "host:99999", "http://host"])(
  "DATABASE_ADDRESS does not take %s",
  (address) => {
    expect(parseDatabaseAddress(address)).toHaveProperty("problem");
  },
);
