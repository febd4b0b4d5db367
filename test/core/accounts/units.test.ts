/** Prices per image, minute of audio and million characters, alone and beside tokens. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatMoney } from "../../../src/core/accounts/money.ts";
import { cost, type Price, pricesTokens, priceText } from "../../../src/core/accounts/price.ts";
import {
  codePointsOf,
  MAX_IMAGES,
  MAX_SECONDS,
  type Units,
} from "../../../src/core/accounts/units.ts";
import { NOTHING_SEEN } from "../../../src/core/call/estimate.ts";
import { chargedUnits, coversCall, usedUnits } from "../../../src/core/call/used-units.ts";

const free = { model: "m", input: "0", cachedInput: null, output: "0", since: 0 };
const price: Price = {
  ...free,
  ...{ perImage: "0.04", perMinute: "0.006", perMillionCharacters: "15" },
};
const usage = {
  promptTokens: 1_000,
  completionTokens: 100,
  totalTokens: 1_100,
  cachedTokens: null,
};
const images = (amount: number): Units => ({ price: "perImage", amount });
const seconds = (amount: number): Units => ({ price: "perMinute", amount });
const characters = (amount: number): Units => ({ price: "perMillionCharacters", amount });
const dollars = (...of: Parameters<typeof cost>) => formatMoney(cost(...of) ?? -1n);

test.each([
  [images(2), "0.08", "per_image=0.04*2"],
  [seconds(90), "0.009", "per_minute=0.006*90"],
  [seconds(0.5), "0.00005", "per_minute=0.006*0.5"],
  [characters(1_001), "0.015015", "per_million_characters=15*1001"],
])("%j costs %s, and the row shows it", (units, amount, shown) => {
  expect(dollars(null, price, units)).toBe(amount);
  expect(priceText(price, null, units)).toBe(`0,,0,${shown}`);
});

test("tokens add up with units, where both have a price", () => {
  const both = { ...price, input: "5", output: "40" };
  expect(dollars(usage, both, images(1))).toBe("0.049");
  expect(dollars(usage, { ...free, input: "5", output: "40" }, images(1))).toBe("0.009");
  expect(cost(null, free, images(1))).toBeNull();
});

test("what can't be said exactly is rounded up, by less than a picodollar", () => {
  expect(dollars(null, { ...price, perMinute: "0.000001" }, seconds(1))).toBe("0.000000016667");
});

test("the dearest call that is admitted fits into the database", () => {
  const dearest = { ...price, perImage: "10000", perMinute: "10000" };
  for (const units of [images(MAX_IMAGES), seconds(1e12)]) {
    expect(cost(null, dearest, units) ?? 2n ** 63n).toBeLessThan(2n ** 63n);
  }
  expect(dollars(null, price, seconds(1e12))).toBe(dollars(null, price, seconds(MAX_SECONDS)));
});

test("a call is charged by the first of its units that has a price", () => {
  const spoken = [characters(100), seconds(7)];
  expect(chargedUnits(price, spoken)).toEqual(characters(100));
  expect(chargedUnits({ ...free, perMinute: "1" }, spoken)).toEqual(seconds(7));
  expect(chargedUnits({ ...free, perImage: "1" }, spoken)).toBeNull();
  expect(chargedUnits(null, spoken)).toBeNull();
});

test("a price covers a call by its units or by its tokens", () => {
  expect(coversCall({ ...free, perImage: "1" }, [images(1)])).toBe(true);
  expect(coversCall({ ...free, perImage: "1" }, undefined), "a chat").toBe(false);
  expect(coversCall({ ...free, perImage: "1" }, [characters(1)])).toBe(false);
  expect(coversCall({ ...free, output: "1", perImage: "1" }, undefined)).toBe(true);
  expect([pricesTokens(free), coversCall(free, [images(1)])], "a free model").toEqual([true, true]);
});

test("seconds that the upstream counted replace those that were expected", () => {
  expect(usedUnits(NOTHING_SEEN, seconds(60))).toMatchObject({ provenance: "estimated" });
  expect(usedUnits({ ...NOTHING_SEEN, seconds: 3.5 }, seconds(60))).toEqual({
    usage: null,
    units: seconds(3.5),
    provenance: "reported",
  });
  expect(usedUnits({ ...NOTHING_SEEN, seconds: 3.5 }, images(2)).units).toEqual(images(2));
  expect(usedUnits(undefined, images(2))).toMatchObject({ usage: null, provenance: "unknown" });
});

test("characters are code points", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(codePointsOf(text)).toBe(Array.from(text).length);
    }),
  );
  expect(codePointsOf("\udc00\ud800\udc00\ud800")).toBe(3);
});
