import { describe, expect, test } from "vitest";
import { fitGrowth } from "../../bench/soak-fit.ts";

/** A sample every 15 s for an hour. */
const samplesOf = (rssMb: (minutes: number) => number) =>
  Array.from({ length: 241 }, (_, index) => ({ minutes: index / 4, rssMb: rssMb(index / 4) }));

describe("the growth of memory", () => {
  test("is the slope of a straight line", () => {
    const growth = fitGrowth(samplesOf((minutes) => 100 + 0.5 * minutes));
    expect(growth.mbPerMinute).toBeCloseTo(0.5);
    expect(growth.quarters).toHaveLength(4);
    for (const quarter of growth.quarters) expect(quarter).toBeCloseTo(0.5);
  });

  test("that fills up and then stays is bounded", () => {
    expect(fitGrowth(samplesOf((minutes) => 150 - 50 * Math.exp(-minutes / 5))).bounded).toBe(true);
  });

  test("that goes on and on is not, however slow", () => {
    expect(fitGrowth(samplesOf((minutes) => 100 + 0.5 * minutes)).bounded).toBe(false);
  });

  test("that speeds up is not", () => {
    expect(fitGrowth(samplesOf((minutes) => 100 + 0.005 * minutes ** 2)).bounded).toBe(false);
  });

  test("of more than a megabyte a minute is not, even where it falls", () => {
    expect(fitGrowth(samplesOf((minutes) => 100 + 20 * Math.sqrt(minutes))).bounded).toBe(false);
  });
});
