import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProxyError } from "../../../src/core/errors.ts";
import { countKeys, isDeeperThan, parseJson } from "../../../src/http/body/parsed.ts";
import { timeRatio } from "../../support/timing.ts";
import { depthOf, json, text } from "./any-json.ts";

describe("parseJson", () => {
  const codeOf = (bytes: Uint8Array): unknown => {
    try {
      return parseJson(Buffer.from(bytes));
    } catch (error) {
      return error instanceof ProxyError ? error.code : error;
    }
  };

  test("reads whatever JSON.stringify writes, with a byte order mark or without", () => {
    fc.assert(
      fc.property(json, fc.constantFrom("", "\ufeff"), (value, mark) => {
        fc.pre(depthOf(value) <= 64);
        const written = JSON.stringify(value);
        expect(JSON.stringify(parseJson(Buffer.from(mark + written)))).toBe(written);
      }),
      { numRuns: 500 },
    );
  });

  test("throws nothing but its own errors on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(codeOf(bytes)).not.toBeInstanceOf(Error);
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    [Uint8Array.of(0xff), "body_not_utf8"],
    [Uint8Array.of(0x5b, 0x80, 0x5d), "body_not_utf8"],
    [Uint8Array.of(0xf4, 0x90, 0x80, 0x80), "body_not_utf8"],
    [new Uint8Array(), "body_not_json"],
    [Buffer.from("\ufeff\ufeff1"), "body_not_json"],
    [Buffer.from("[1]\u0000"), "body_not_json"],
    [Buffer.from("[".repeat(65)), "body_too_deep"],
    [Buffer.from("[".repeat(64)), "body_not_json"],
  ])("tells of %j what is wrong first", (bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });

  test("takes time in proportion to a hostile text", () => {
    const texts = ["[", "[[]", '{"":', '"\\', "[{", '["', "\\u0000"];
    for (const unit of texts) {
      const bytes = Buffer.from(unit.repeat(1_048_576 / unit.length));
      // far enough apart for a pause of the machine to be told from a square
      const start = bytes.subarray(0, bytes.length / 32);
      const inProportion = timeRatio(
        () => void codeOf(bytes),
        () => void codeOf(start),
      );
      expect(inProportion, unit).toBeLessThan(8 * 32);
    }
  });
});

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
  test("counts what the object has, however it is written", () => {
    fc.assert(
      fc.property(fc.dictionary(text, json), fc.nat({ max: 2 }), (value, indent) => {
        const written = JSON.stringify(value, null, indent);
        // not compared with JSON.parse: in Node 26.10 it loses a key made of escapes now and then
        expect(countKeys(Buffer.from(written))).toBe(Object.keys(value).length);
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
