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
    ["a key of Anthropic", "sk-ant-api03-AbCdEf0123456789"],
    ["a key of Google", "AIzaSyA0b1c2d3e4f5g6h7i8j9"],
    ["a key of Groq", "gsk_AbCdEf0123456789AbCdEf"],
    ["a key of xAI", "xai-AbCdEf0123456789"],
    ["a token of Hugging Face", "hf_AbCdEfGhIjKlMnOpQrStUv"],
    ["a token of Replicate", "r8_AbCdEf0123456789"],
    ["a key of Perplexity", "pplx-abcdef0123456789"],
    ["a token of GitHub", "ghp_AbCdEf0123456789AbCd"],
    ["a newer token of GitHub", "github_pat_11ABCDEF_0123456789"],
    ["a key of AWS", "AKIAIOSFODNN7EXAMPLE"],
    ["a token of Slack", "xoxb-0123456789-abcdef"],
    ["a key of Stripe", "sk_live_AbCdEf0123456789"],
    ["a key with an escaped beginning", "%73k-abcdef0123456789"],
    ["a key escaped in JSON", "\\u0073k-abcdef0123456789"],
    ["a key escaped in JSON within JSON", "\\\\u0073\\\\u006b-abcdef0123456789"],
    ["a key escaped in HTML", "&#115;k-abcdef0123456789"],
    ["a key with an invisible character", "s\u200bk-abcdef0123456789"],
  ])("%s", (_, secret) => {
    for (const [before, after] of [
      ["", ""],
      ["Incorrect API key provided: ", ". You can find it elsewhere."],
      ['{"key":"', '"}'],
      ["(", ")"],
      ["a=1&key=", ""],
      ["Wrong key\n", "\n"],
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

  test("a long run is a key beside a word for it, and an id elsewhere", () => {
    const run = "0123456789abcdef0123456789abcdef";
    expect(redact(`The api-key ${run} is wrong`)).toBe("The api-key [removed] is wrong");
    expect(redact(`Wrong: ${run} (key)`)).toBe("Wrong: [removed] (key)");
    expect(redact(`Trace ${run}`)).toBe(`Trace ${run}`);
  });

  const known = "Second-Operator-Key";
  const base64 = (before: string) => Buffer.from(before + known).toString("base64");
  test.each([
    [known, ""],
    [known.toUpperCase(), ""],
    [known.toLowerCase(), ""],
    ["Second-Opera", ""],
    ["nd-Operator-K", ""],
    ["Second-Oper****or-Key", "****or-Key"],
    ["Second%2DOperator%2dKey", ""],
    ["\\u0053econd-Operator-\\u004bey", ""],
    ["Second-\u00adOperator-Key", ""],
    [[...known].join("\u200e"), ""],
    [[...known].join("\ufe0f"), ""],
    [[...known].join("\u{e0020}"), ""],
    ["\\u{53}econd-\\u{04f}perator-Key", ""],
    ["Second－Ｏｐｅｒａｔｏｒ－Key", ""],
    [base64(""), ""],
    [base64("x:"), "eD"],
    [base64("xy:"), "eHk"],
  ])("of a known key no run of eight characters is left: %s", (shown, rest) => {
    const removed = createRedact([known])(`no ${shown}!`);
    expect(removed.startsWith("no ")).toBe(true);
    expect(removed).toContain("[removed]");
    expect(removed.replace("[removed]", "").length).toBeLessThan("no !".length + rest.length + 9);
    expect(createRedact([])(`no ${shown}!`)).toBe(`no ${shown}!`);
  });

  test("the public beginning of a known key, and seven characters, may be shown", () => {
    const clean = createRedact(["sk-proj-AbCdEfGhIj"]);
    expect(clean("keys begin with sk-")).toBe("keys begin with sk-");
    expect(clean("AbCdEfG")).toBe("AbCdEfG");
    expect(clean("AbCdEfGh")).toBe("[removed]");
  });

  test("a known secret may have letters of any alphabet", () => {
    const clean = createRedact(["пароль-для-базы"]);
    expect(clean("no пароль-для-базы, ПАРОЛЬ-ДЛЯ!")).toBe("no [removed], [removed]!");
    expect(clean("no \\u043fароль-для-базы!")).toBe("no [removed]!");
  });

  test("a short secret is a word, not a part of one", () => {
    const clean = createRedact(["k2"]);
    expect(clean("k2, (K2) and k2's")).toBe("[removed], ([removed]) and [removed]'s");
    expect(clean("k20 or pk2")).toBe("k20 or pk2");
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

const KNOWN = "second-operator-key";
const redactKnown = createRedact([KNOWN, "k1", "0123456789-0123456789-0123456789"]);

describe("a hostile text of 100 KB takes no more than its share", () => {
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
    ["backslashes", repeated("\\")],
    ["escapes without an end", repeated("\\u")],
    ["percent signs", repeated("%")],
    ["percent signs of percent signs", `%${repeated("25")}`],
    ["entities without an end", repeated("&#1")],
    ["long runs", repeated("0123456789abcdef")],
    ["long runs beside a word", repeated("key 0123456789abcdef0123456789abcdef ")],
    ["beginnings of prefixes", repeated("tvly-dev-")],
    ["a known key again and again", repeated(KNOWN)],
    ["the beginning of a known key", repeated(KNOWN.slice(0, 7))],
  ])("%s", (_, text) => {
    expect(text.length).toBeGreaterThanOrEqual(size);
    // as much text in 32 parts takes as long; a square would take 32 times
    const part = text.slice(0, size / 32);
    const inProportion = timeRatio(
      () => redactKnown(text),
      () => {
        for (let at = 0; at < 32; at += 1) redactKnown(part);
      },
    );
    expect(inProportion).toBeLessThan(12);
  });
});
