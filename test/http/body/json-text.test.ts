import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countKeys, isDeeperThan } from "../../../src/http/body/json-text.ts";
import { depthOf, json, text } from "./any-json.ts";

const deeper = (max: number, text: string) => isDeeperThan(max, Buffer.from(text));

describe("isDeeperThan", () => {
  test("agrees with what parsing the text shows", () => {
    fc.assert(
      fc.property(json, fc.nat({ max: 8 }), fc.nat({ max: 2 }), (value, max, indent) => {
        expect(deeper(max, JSON.stringify(value, null, indent))).toBe(depthOf(value) > max);
      }),
      { numRuns: 3_000 },
    );
  });

  test("agrees with it at every bound around the depth itself", () => {
    fc.assert(
      fc.property(fc.nat({ max: 40 }), fc.array(text, { maxLength: 8 }), (levels, siblings) => {
        let value: unknown = siblings;
        for (let level = 0; level < levels; level += 1) {
          value = level % 2 === 0 ? [...siblings, value] : { "[{": siblings, '"': value };
        }
        const depth = depthOf(value);
        const written = JSON.stringify(value);
        expect([depth - 1, depth, depth + 1].map((max) => deeper(max, written))).toEqual([
          true,
          false,
          false,
        ]);
      }),
      { numRuns: 500 },
    );
  });

  test("ends on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 3 }), (bytes, max) => {
        expect(typeof isDeeperThan(max, Buffer.from(bytes))).toBe("boolean");
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([
    ["a text that never ends", `["${"[".repeat(99)}`, false],
    ["an escape at the very end", `["${"[".repeat(99)}\\`, false],
    ["an escaped quote", `["\\"${"[".repeat(99)}"]`, false],
    ["an escaped backslash before the end of a text", `["\\\\",${"[".repeat(64)}`, true],
    ["many lists side by side", `[${"[],".repeat(5_000)}[]]`, false],
    ["closing brackets first", `${"]".repeat(9)}${"[".repeat(65)}`, false],
  ])("is not led astray by %s", (_name, written, expected) => {
    expect(deeper(64, written)).toBe(expected);
  });
});

describe("countKeys", () => {
  test("counts what the parsed object has, however it is written", () => {
    fc.assert(
      fc.property(fc.dictionary(text, json), fc.nat({ max: 2 }), (value, indent) => {
        const written = JSON.stringify(value, null, indent);
        expect(countKeys(Buffer.from(written))).toBe(Object.keys(JSON.parse(written)).length);
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([
    ["a repeated key", '{"model":"a","model":"b"}', 2],
    ["one repeated in another spelling", '{"model":"a", "mod\\u0065l" : "b"}', 2],
    ["one that is repeated deeper, where nobody reads it", '{"a":{"b":1,"b":2},"c":[{"d":1}]}', 2],
    ["a text that looks like a key", '{"a":"\\"b\\":","c":"d"}', 2],
  ])("tells %s", (_name, written, keys) => {
    expect(countKeys(Buffer.from(written))).toBe(keys);
  });
});
