import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatMoney,
  formatPrice,
  parseMoney,
  parsePrice,
  pricePerToken,
} from "../../../src/core/accounts/money.ts";
import { canonicalPrice, cost, priceNames, priceText } from "../../../src/core/accounts/price.ts";

const mostPico = 9_000_000n * 10n ** 12n;
const price = { model: "m", input: "2.5", cachedInput: "1.25", output: "10", since: 0 };

describe("money", () => {
  test("every amount survives being written and read", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: mostPico }), (amount) => {
        expect(parseMoney(formatMoney(amount))).toBe(amount);
      }),
    );
  });

  test("every price survives being written and read", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10_000_000_000n }), (micro) => {
        expect(parsePrice(formatPrice(micro))).toBe(micro);
      }),
    );
  });

  test("adding texts equals adding amounts, where floats would drift", () => {
    let sum = 0n;
    for (let at = 0; at < 10; at++) sum += parseMoney("0.1") ?? 0n;
    expect(formatMoney(sum)).toBe("1");
  });

  test.each([
    ["0", "0"],
    ["12.50", "12.5"],
    ["0.000000000001", "0.000000000001"],
    ["1.0000000", "1"],
    ["007.5", "7.5"],
  ])("%s is %s", (text, shortest) => {
    expect(formatMoney(parseMoney(text) ?? -1n)).toBe(shortest);
  });

  test.each(["", ".", "1.", ".5", "-1", "+1", "1e3", "0x1", "NaN", "1,5", " 1", "1\n", "9000001"])(
    "%j is not an amount",
    (text) => {
      expect(parseMoney(text)).toBeNull();
    },
  );

  test("more places than are counted are refused, not rounded", () => {
    expect(parseMoney("0.0000000000001")).toBeNull();
    expect(parsePrice("0.0000001")).toBeNull();
    expect(parsePrice("0.0750000")).toBe(75_000n);
    expect(parsePrice("10000.000001")).toBeNull();
  });
});

describe("cost", () => {
  test("is exact for every price and every count", () => {
    const micro = fc.bigInt({ min: 0n, max: 10_000_000_000n });
    const count = fc.nat({ max: 100_000_000 });
    fc.assert(
      fc.property(micro, micro, count, count, (input, output, prompt, completion) => {
        const usage = {
          promptTokens: prompt,
          completionTokens: completion,
          totalTokens: Math.min(prompt + completion, 100_000_000),
          cachedTokens: null,
        };
        const prices = { ...price, input: formatPrice(input), output: formatPrice(output) };
        expect(cost(usage, prices)).toBe(input * BigInt(prompt) + output * BigInt(completion));
      }),
    );
  });

  test("counts cached tokens at their own price, or at the input's", () => {
    const usage = { promptTokens: 100, completionTokens: 10, totalTokens: 110, cachedTokens: 60 };
    expect(formatMoney(cost(usage, price) ?? -1n)).toBe("0.000275");
    expect(formatMoney(cost(usage, { ...price, cachedInput: null }) ?? -1n)).toBe("0.00035");
  });

  test("is never less than nothing when an upstream says more was cached than was sent", () => {
    const usage = { promptTokens: 10, completionTokens: 0, totalTokens: 10, cachedTokens: 900 };
    expect(formatMoney(cost(usage, price) ?? -1n)).toBe("0.0000125");
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e9, 2 ** 53])(
    "is unknown for a count of %d",
    (promptTokens) => {
      const usage = { promptTokens, completionTokens: 1, totalTokens: 1, cachedTokens: null };
      expect(cost(usage, price)).toBeNull();
    },
  );

  test("is unknown without usage, without a price, and with a price that is none", () => {
    const usage = { promptTokens: 1, completionTokens: 1, totalTokens: 2, cachedTokens: null };
    expect(cost(null, price)).toBeNull();
    expect(cost(usage, null)).toBeNull();
    expect(cost(usage, { ...price, output: "free" })).toBeNull();
  });
});

describe("prices", () => {
  test("a snapshot goes by its own name first, then by its family's", () => {
    expect(priceNames("gpt-4o-2024-08-06")).toEqual(["gpt-4o-2024-08-06", "gpt-4o"]);
    expect(priceNames("gpt-3.5-turbo-0125")).toEqual(["gpt-3.5-turbo-0125", "gpt-3.5-turbo"]);
    expect(priceNames("gpt-4o")).toEqual(["gpt-4o"]);
    expect(priceNames("ft:gpt-4o-2024-08-06")).toEqual(["ft:gpt-4o-2024-08-06"]);
  });

  test("are kept in their shortest spelling", () => {
    expect(canonicalPrice({ ...price, input: "2.500" })?.input).toBe("2.5");
    expect(canonicalPrice({ ...price, output: "" })).toBeNull();
    expect(priceText(price, null)).toBe("2.5,1.25,10");
    expect(priceText({ ...price, cachedInput: null }, null)).toBe("2.5,,10");
  });
});

describe("a price per token", () => {
  test.each([
    ["1.5e-07", "0.15"],
    ["0.00000015", "0.15"],
    ["1E-12", "0.000001"],
    ["1.8750e-08", "0.01875"],
    ["0.01", "10000"],
    ["0", "0"],
    ["3e+0", null],
    ["1e-13", null],
    ["5.000000000000001e-07", null],
    ["0.010000000001", null],
    ["1e999", null],
    ["-1e-7", null],
    ["", null],
    ["free", null],
  ])("%s is %s per million", (text, price) => {
    const read = pricePerToken(text);
    expect(read === null ? null : formatPrice(read)).toBe(price);
  });

  test("is the price of a million, whatever its exponent", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10_000_000_000n }), fc.nat({ max: 9 }), (micro, by) => {
        expect(pricePerToken(`${micro}${"0".repeat(by)}e-${12 + by}`)).toBe(micro);
      }),
    );
  });
});
