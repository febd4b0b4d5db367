import { describe, expect, test } from "vitest";
import { createCleanName } from "../../src/core/clean-name.ts";

const cleanName = createCleanName(["sk-proj-AbCdEfGhIj", "second-operator-key", "mini"]);
const own = "sk-caller-9876543210";

describe("a name that a service gives", () => {
  test.each([
    "sk-proj-AbCdEfGhIj",
    "chatcmpl-abcdefgh",
    "SECOND-OPERATOR",
    `resp_${own}`,
    "caller-98",
    Buffer.from("second-operator-key").toString("base64"),
  ])("is removed if a run of a secret is in it: %s", (name) => {
    expect(cleanName(name, own)).toBe("[removed]");
  });

  test.each([
    "",
    "gpt-4o-mini",
    "sk-proj-",
    "chatcmpl-AbCdEfG",
    "ft:gpt-4o:org-zyxwvuts1234::id",
    "resp_eyJhbGciOiJIUzI1NiJ9",
    "99876543",
  ])("stays as it is: %s", (name) => {
    expect(cleanName(name, own)).toBe(name);
  });
});
