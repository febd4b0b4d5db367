import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProxyError } from "../../../src/core/errors.ts";
import { parseJson } from "../../../src/http/body/body.ts";
import { timeRatio } from "../../support/timing.ts";
import { depthOf, json } from "./any-json.ts";

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
      const start = bytes.subarray(0, bytes.length / 16);
      const inProportion = timeRatio(
        () => void codeOf(bytes),
        () => void codeOf(start),
      );
      expect(inProportion, unit).toBeLessThan(4 * 16);
    }
  });
});
