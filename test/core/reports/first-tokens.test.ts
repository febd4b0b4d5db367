import { expect, test } from "vitest";
import { binOf, MAX_BINS, timesIn } from "../../../src/core/reports/first-tokens.ts";

test("times from bins are within 7 % of the exact ones", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const times = Array.from({ length: 997 }, (_, at) => 20 + ((at * 7_919 * seed) % 60_013));
    const bins = new Uint32Array(MAX_BINS);
    for (const ms of times) bins[binOf(ms)] = (bins[binOf(ms)] ?? 0) + 1;
    const sorted = times.toSorted((a, b) => a - b);
    const exact = [sorted[498] ?? 0, sorted[947] ?? 0] as const;
    const read = timesIn(bins) ?? { median: 0, p95: 0 };
    expect(Math.abs(read.median / exact[0] - 1)).toBeLessThan(0.07);
    expect(Math.abs(read.p95 / exact[1] - 1)).toBeLessThan(0.07);
  }
});

test("every time has a bin, and no time has none", () => {
  for (const ms of [0, 0.5, 1, 7_200_000, 1e12]) {
    expect(binOf(ms)).toBeGreaterThanOrEqual(0);
    expect(binOf(ms)).toBeLessThan(MAX_BINS);
  }
  expect(timesIn(new Uint32Array(MAX_BINS))).toBeNull();
});
