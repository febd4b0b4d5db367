import { describe, expect, test } from "vitest";
import { wellFormedJson } from "../../src/core/well-formed.ts";

describe("JSON without half surrogate pairs", () => {
  test.each([
    ["half \ud83d", "half \ufffd"],
    ["\ude00\ud83d", "\ufffd\ufffd"],
    ["whole 😀", "whole 😀"],
    ["a backslash before: \\\ud83d", "a backslash before: \\\ufffd"],
    ["only its name: \\ud83d and \\\\udc00", "only its name: \\ud83d and \\\\udc00"],
    ['quotes " \n \0 \u2028 \ud800\ud800\udc00', 'quotes " \n \0 \u2028 \ufffd\ud800\udc00'],
  ])("of %j is %j", (text, expected) => {
    expect(JSON.parse(wellFormedJson({ [text]: [text] }))).toEqual({ [expected]: [expected] });
  });
});
