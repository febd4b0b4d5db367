import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonMistakeAt, placeOf } from "../../../src/http/body/json-mistake.ts";
import { json } from "./any-json.ts";

describe("jsonMistakeAt", () => {
  test.each([
    ["", 0],
    ["  ", 2],
    ['{"a":1', 6],
    ['{“a": 1}', 1],
    ["{'a':1}", 1],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ['{"a":}', 5],
    ['{"a":1 "b":2}', 7],
    ['{"a":NaN}', 5],
    ['{"a":01}', 6],
    ['{"a":1.}', 6],
    ["[1,]", 3],
    ["[1}", 2],
    ['["a\nb"]', 3],
    ['["a\\x"]', 3],
    ['["a\\"]', 6],
    ['["a', 3],
    ["{} {}", 3],
    ["]", 0],
    ["nul", 0],
    ["/**/{}", 0],
    [`[${'"'}\\u12`, 2],
  ])("of %j is %d", (text, index) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(jsonMistakeAt(text)).toBe(index);
  });

  test("of any text is none exactly if the text is JSON", () => {
    const changed = fc
      .tuple(
        json.map((value) => JSON.stringify(value)),
        fc.nat(),
        fc.constantFrom("", '"', "}", "]", ",", ":", "\\", "1", "x", "\n"),
      )
      .map(([text, at, put]) => {
        const index = at % (text.length + 1);
        return text.slice(0, index) + put + text.slice(index + 1);
      });
    fc.assert(
      fc.property(changed, (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        const at = jsonMistakeAt(text);
        if (isJson) expect(at).toBe(text.length);
        // the text before it may still become JSON, as its beginning shows the same or no mistake
        else expect(jsonMistakeAt(text.slice(0, at))).toBe(at);
      }),
      { numRuns: 2_000 },
    );
  });
});

test.each([
  ["", 0, 1, 1],
  ["ab", 1, 1, 2],
  ["a\nb", 2, 2, 1],
  ["a\r\nbc", 4, 2, 2],
  ["\n\n", 2, 3, 1],
])("placeOf(%j, %d) is line %d, column %d", (text, index, line, column) => {
  expect(placeOf(text, index)).toEqual({ line, column });
});
