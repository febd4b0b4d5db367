import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  hasQuota,
  noLimits,
  noQuotas,
  noSpending,
  periodEnd,
  periodKey,
  periodsAt,
  quotaStates,
  refusingQuota,
} from "../../../src/core/accounts/quota.ts";

const noUse = { day: noSpending, month: noSpending };
const one = { requests: 1, tokens: 10, money: 5n };
const at = Date.UTC(2026, 11, 31, 23, 59, 59, 999);

describe("periods", () => {
  test("are those of UTC, to the last millisecond of a year", () => {
    expect(periodKey("day", at)).toBe("2026-12-31");
    expect(periodKey("month", at)).toBe("2026-12");
    expect(periodEnd("day", at)).toBe(at + 1);
    expect(periodEnd("month", at)).toBe(at + 1);
    expect(periodKey("month", at + 1)).toBe("2027-01");
  });

  test("follow one another without a gap", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (ms) => {
        for (const period of ["day", "month"] as const) {
          const end = periodEnd(period, ms);
          expect(end).toBeGreaterThan(ms);
          expect(periodsAt(end)[period]).toBe(periodsAt(ms)[period] + 1);
          expect(periodsAt(end - 1)[period]).toBe(periodsAt(ms)[period]);
        }
      }),
    );
  });
});

describe("quotas", () => {
  test("none refuse nothing", () => {
    expect(hasQuota(noQuotas)).toBe(false);
    expect(refusingQuota(noQuotas, noUse, one, at)).toBeNull();
    expect(quotaStates(noQuotas, noUse, at)).toEqual([]);
  });

  test("a limit of nothing refuses the first call", () => {
    const quotas = { day: { ...noLimits, requests: 0 }, month: noLimits };
    expect(hasQuota(quotas)).toBe(true);
    expect(refusingQuota(quotas, noUse, one, at)).toMatchObject({ kind: "requests", limit: 0n });
  });

  test("the last place is given and the next is not", () => {
    const quotas = { day: { ...noLimits, tokens: 30 }, month: noLimits };
    const used = (tokens: number) => ({ ...noUse, day: { ...noSpending, tokens } });
    expect(refusingQuota(quotas, used(20), one, at)).toBeNull();
    expect(refusingQuota(quotas, used(21), one, at)).toMatchObject({ period: "day", used: 21n });
  });

  test("of several that refuse, the one that lasts longest is told", () => {
    const tight = { ...noLimits, money: 1n };
    expect(refusingQuota({ day: tight, month: tight }, noUse, one, at)?.period).toBe("month");
  });
});
