/** Tokens with a price of their own: caches that are written, audio, reasoning. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatMoney } from "../../../src/core/accounts/money.ts";
import { cost, maxCost, type Price, priceText } from "../../../src/core/accounts/price.ts";
import type { Usage } from "../../../src/core/call/messages.ts";

const plain: Price = { model: "m", input: "2", cachedInput: "1", output: "10", since: 0 };
const full: Price = {
  ...plain,
  ...{ cacheWrite: "3", cacheWriteHour: "4", audioInput: "40", audioOutput: "80", reasoning: "5" },
};
const counts = {
  promptTokens: 1_000,
  completionTokens: 500,
  totalTokens: 1_500,
  cachedTokens: 100,
};
const dollars = (usage: Usage, price: Price) => formatMoney(cost(usage, price) ?? -1n);
const used = (parts: Usage["parts"]): Usage => ({ ...counts, ...(parts && { parts }) });

test.each<[Usage["parts"], string, string]>([
  [undefined, "0.0069", ""],
  [{ cacheWrite: 200 }, "0.0071", ",cache_write=3*200"],
  [{ cacheWriteHour: 200, cacheWrite: 100 }, "0.0074", ",cache_write_1h=4*200,cache_write=3*100"],
  [{ audioInput: 50, audioOutput: 10 }, "0.0095", ",audio_input=40*50,audio_output=80*10"],
  [{ reasoning: 400 }, "0.0049", ",reasoning=5*400"],
])("%j is charged exactly, and the row shows it", (parts, amount, shown) => {
  expect(dollars(used(parts), full)).toBe(amount);
  expect(priceText(full, used(parts))).toBe(`2,1,10${shown}`);
});

test("a part without a price of its own costs what its side costs", () => {
  const parts = {
    cacheWrite: 200,
    cacheWriteHour: 50,
    audioInput: 50,
    audioOutput: 9,
    reasoning: 9,
  };
  expect(dollars(used(parts), plain)).toBe(dollars(counts, plain));
  expect(priceText(plain, used(parts))).toBe("2,1,10");
  const written = { ...plain, cacheWrite: "3", cacheWriteHour: null };
  expect(dollars(used({ cacheWriteHour: 200 }), written), "an hour as minutes").toBe("0.0071");
});

test("parts that say more than there is take no more, and a cache is charged last", () => {
  expect(dollars(used({ audioInput: 9_999 }), full)).toBe("0.045");
  expect(dollars(used({ audioInput: 950 }), full), "50 cached tokens are left").toBe("0.04305");
  expect(dollars(used({ audioOutput: 9_999, reasoning: 400 }), full)).toBe("0.0419");
});

test("dearer parts never make a call cheaper, and no call costs more than all of it at the dearest", () => {
  const count = fc.nat({ max: 2_000 });
  const parts = fc.record({
    cacheWrite: count,
    cacheWriteHour: count,
    audioInput: count,
    audioOutput: count,
  });
  fc.assert(
    fc.property(parts, count, (given, cachedTokens) => {
      const usage = { ...counts, cachedTokens };
      const charged = cost({ ...usage, parts: given }, full) ?? -1n;
      expect(charged).toBeGreaterThanOrEqual(cost(usage, full) ?? 0n);
      expect(charged).toBeLessThanOrEqual(maxCost(full, counts.totalTokens));
    }),
  );
});

test("a part that is no price makes the cost unknown", () => {
  expect(cost(counts, { ...plain, audioInput: "free" })).toBeNull();
});

const tiered: Price = {
  ...full,
  ...{ flexInput: "1.5", flexOutput: "5", priorityInput: "4", priorityCachedInput: "2" },
};

test.each<[Usage["tier"], Price, string, string]>([
  [undefined, tiered, "0.0069", "2,1,10"],
  ["flex", tiered, "0.004", "1.5,1.5,5,tier=flex"],
  ["priority", tiered, "0.0088", "4,2,10,tier=priority"],
  ["flex", plain, "0.0069", "2,1,10"],
  ["priority", { ...plain, cachedInput: null }, "0.007", "2,,10"],
])("an answer of the tier %s costs what that tier does, else the ordinary price", (...row) => {
  const [tier, price, amount, shown] = row;
  const usage: Usage = { ...counts, ...(tier && { tier }) };
  expect(dollars(usage, price)).toBe(amount);
  expect(priceText(price, usage)).toBe(shown);
});

test("a tier has no price for parts: they cost what they always do", () => {
  const usage: Usage = { ...used({ audioInput: 50 }), tier: "flex" };
  expect(dollars(usage, tiered)).toBe("0.005925");
  expect(priceText(tiered, usage)).toBe("1.5,1.5,5,tier=flex,audio_input=40*50");
});
