import { describe } from "vitest";
import { createMemoryAmounts } from "../../src/limits/memory-amounts.ts";
import { testAmounts } from "../support/amounts-suite.ts";

describe("amounts in memory", () => {
  testAmounts(() => {
    const clock = { nowMs: 0 };
    return { clock, amounts: createMemoryAmounts({ monotonicMs: () => clock.nowMs }) };
  }, 30);
});
