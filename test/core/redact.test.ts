import { describe, expect, test } from "vitest";
import { createRedact, redact } from "../../src/core/redact.ts";
import { timeRatio } from "../support/timing.ts";

describe("what looks like a credential is taken out", () => {
  test.each([
    ["a project key", "sk-proj-Ab12_cd-34EF56gh78"],
    ["a classic key", "sk-abcdEFGH1234abcdEFGH1234abcdEFGH1234abcdEFGH1234"],
    ["a key masked in its middle", "sk-abcd********************************wxyz"],
    ["a key masked with dots", "sk-...wxyz"],
    ["a project key, masked", "sk-proj-****************Ab1c"],
    ["a service account's key", "sk-svcacct-abc123def456"],
    ["a session key", "sess-abcdef0123456789"],
    ["a restricted key", "rk-abcdef0123456789"],
    ["a public key", "pk-abcdef0123456789"],
    ["one of our tokens", "parley-abcdef0123456789"],
    ["an organization", "org-AbCdEfGh12345678"],
    ["a project", "proj-AbCdEfGh12345678"],
    ["a user", "user-AbCdEfGh12345678"],
    ["a token of three parts", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"],
    ["an authorization header", "Bearer whatever+is/here=="],
    ["an authorization header in small letters", "bearer   whatever"],
    ["a key in capitals", "SK-ABCDEF0123456789"],
  ])("%s", (_, secret) => {
    for (const [before, after] of [
      ["", ""],
      ["Incorrect API key provided: ", ". You can find it elsewhere."],
      ['{"key":"', '"}'],
      ["(", ")"],
      ["a=1&key=", ""],
    ]) {
      const shown = redact(`${before}${secret}${after}`);
      expect(shown).toContain("[removed]");
      expect(shown.startsWith(before ?? "")).toBe(true);
      expect(shown).not.toContain(secret);
      expect(shown).not.toContain(secret.slice(-4));
    }
  });

  test("a key that is known is taken out whatever it looks like", () => {
    expect(createRedact(["(a+b)*$&"])("no key (a+b)*$& nor (a+b)*$&!")).toBe(
      "no key [removed] nor [removed]!",
    );
    expect(createRedact([""])("nothing known")).toBe("nothing known");
  });

  test("every one in a text, whatever is between them", () => {
    expect(redact("sk-aaaa1111 and sk-bbbb2222, for org-cccc3333.")).toBe(
      "[removed] and [removed], for [removed].",
    );
  });

  test("the rest of a text stays as it is", () => {
    const text = "Unsupported value: 'temperature' does not support 0.2 with this model (task-1).";
    expect(redact(text)).toBe(text);
    expect(redact("请求过多 – слишком много 👋🏽")).toBe("请求过多 – слишком много 👋🏽");
    expect(redact("risk-free, ask-me, user-defined, org-wide")).toBe(
      "risk-free, ask-me, user-defined, org-wide",
    );
  });
});

describe("a hostile text of 100 KB takes less than 50 ms", () => {
  const size = 100_000;
  const repeated = (piece: string) => piece.repeat(Math.ceil(size / piece.length)).slice(0, size);
  test.each([
    ["sk- again and again", repeated("sk-")],
    ["sk-a again and again", repeated("sk-a ")],
    ["keys one character too short", repeated("sk-abc ")],
    ["a key without an end", `sk-${repeated("a")}`],
    ["stars", `sk-${repeated("*")}`],
    ["dots and dashes", repeated("sk-.-")],
    ["Bearer and spaces", `Bearer${repeated(" ")}`],
    ["many Bearers and spaces", repeated("Bearer \t \n")],
    ["many Bearers with runs of spaces", repeated(`Bearer${" ".repeat(300)}`)],
    ["eyJ again and again", repeated("eyJ")],
    ["eyJ one character too short", repeated("eyJaaaaaaa ")],
    ["eyJ and dots", `eyJaaaaaaaa${repeated(".")}`],
    ["user- again and again", repeated("user-")],
    ["user- too short", repeated("user-aaaaaaa-")],
    ["org- without an end", `org-${repeated("a")}`],
    ["word ends", repeated("a b")],
    ["one character", repeated("a")],
    ["surrogates", repeated("👋🏽")],
  ])("%s", (_, text) => {
    expect(text.length).toBeGreaterThanOrEqual(size);
    const start = text.slice(0, size / 16);
    const inProportion = timeRatio(
      () => redact(text),
      () => redact(start),
    );
    expect(inProportion).toBeLessThan(4 * 16);
  });
});
