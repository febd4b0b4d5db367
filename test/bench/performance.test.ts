import { describe, expect, test } from "vitest";
import { renderChart } from "../../bench/chart.ts";
import { performanceCharts, performancePage, performanceSummary } from "../../bench/performance.ts";
import { performanceTexts } from "../../bench/performance-texts.ts";
import type { Results } from "../../bench/results.ts";
import { languages } from "../../src/locales.ts";

const cpuLine = (name: string, group: string, usPerCall: number, ratio: number) => ({
  name,
  group,
  usPerCall,
  ratio,
  ratioMin: ratio,
  ratioMax: ratio,
  callsPerSecond: 1_000,
  chunksPerCpuSecond: group === "stream" ? 40_000 : null,
  errors: 0,
  firstError: null,
});

const results: Results = {
  date: "2026-05-04T10:00:00.000Z",
  node: "v26.10.0",
  cpuModel: "A & B <C>",
  cores: 2,
  cpu: [cpuLine("bare", "json", 50, 1), cpuLine("parley /v1", "json", 1_234, 1.5)],
};

const rowsOf = (section: string) => section.split("\n").filter((line) => line.startsWith("| "));

describe("the page", () => {
  test("has a row for what was measured and none for what was not", () => {
    const [, , ...rows] = rowsOf(performancePage(results, "en"));
    expect(rows).toEqual(["| CPU per call | 50 µs (×1.00) | 1,234 µs (×1.50) | – | – |"]);
  });

  test("has a short form for the README", () => {
    const [head, , ...rows] = rowsOf(performanceSummary(results, "en"));
    expect(head).toBe("| Measured | Bare forwarder | Parley | Portkey 1.15.2 |");
    expect(rows).toEqual(["| CPU per call | 50 µs (×1.00) | 1,234 µs (×1.50) | – |"]);
  });

  test("writes numbers as the language does", () => {
    const [, , row] = rowsOf(performancePage(results, "ru_RU"));
    expect(row?.replaceAll(/\s/g, " ")).toContain("1 234 мкс (×1,50)");
  });

  test.each(languages)("fills every place of its texts in %s", (language) => {
    const section = performancePage(results, language);
    expect(section).not.toMatch(/[{}]|undefined|NaN/);
  });

  test.each(languages)("names in %s the charts that are drawn", (language) => {
    const section = performancePage(results, language);
    const paths = performanceCharts(results, language).map(([path]) => path);
    expect(paths).toHaveLength(3);
    for (const path of paths) expect(section).toContain(`](../../${path})`);
  });

  test("has all places for numbers in all languages", () => {
    const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();
    for (const language of languages) {
      const { machine, idle, streams } = performanceTexts[language];
      expect(places(machine)).toEqual(places(performanceTexts.en.machine));
      expect([places(idle), places(streams)]).toEqual([["{count}"], ["{count}"]]);
    }
  });
});

describe("a chart", () => {
  const bar = (label: string, value: number) =>
    ({ label, value, text: `${value}`, kind: "own" }) as const;
  const widths = (svg: string) =>
    [...svg.matchAll(/<rect x="248"[^>]* width="(\d+)"/g)].map(([, width]) => Number(width));
  const groups = [
    { title: "first", bars: [bar("a & b", 1), bar("c", 4)] },
    { title: "second", bars: [bar("d", 2)] },
    { title: "nothing", bars: [] },
  ];
  const chart = { title: "t", subtitle: "s", scale: "shared", groups } as const;

  test("has bars as long as their values, on one scale or on one each group", () => {
    const [one = 0, four = 0, two = 0] = widths(renderChart(chart));
    expect(four / one).toBeCloseTo(4, 1);
    expect(two / one).toBeCloseTo(2, 1);
    expect(widths(renderChart({ ...chart, scale: "own" }))).toEqual([one, four, four]);
  });

  test("draws a sliver for what is nothing or less", () => {
    const bars = [bar("a", -3), bar("b", 0), bar("c", 1)];
    const [less, nothing] = widths(renderChart({ ...chart, groups: [{ title: "g", bars }] }));
    expect([less, nothing]).toEqual([2, 2]);
  });

  test("leaves out a group without bars, and writes any text as XML", () => {
    const svg = renderChart(chart);
    expect(svg).not.toContain("nothing");
    expect(svg).toContain(">a &amp; b<");
  });
});
