import type { Language } from "../src/locales.ts";
import { type Bar, type Chart, renderChart } from "./chart.ts";
import { type Cpu, type Figures, figuresOf } from "./figures.ts";
import { type PerformanceTexts, performanceTexts } from "./performance-texts.ts";
import type { Results } from "./results.ts";

/** Below the project's folder. */
export const RESULTS_FILE = "bench/results/latest.json";

/** Candidates that have a column of the table; the charts show all. */
const COLUMNS = ["bare", "parley", "token", "portkey"];

/** For docs/<language>/performance.md: the machine, the table and the charts. */
export function performancePage(results: Results, language: Language): string {
  const text = performanceTexts[language];
  const figures = figuresOf(results).filter(({ word }) => COLUMNS.includes(word));
  const charts = chartsOf(results, text).map(
    ([name, { title }]) => `![${title}](../../${chartPath(name, language)})`,
  );
  return [machineOf(results, text), tableOf(figures, text), ...charts].join("\n\n");
}

/** For the README: what decides between gateways. */
export function performanceSummary(results: Results, language: Language): string {
  const figures = figuresOf(results).filter(({ word }) =>
    ["bare", "parley", "portkey"].includes(word),
  );
  return tableOf(figures, performanceTexts[language], ["cpu", "latency", "idle"]);
}

/** The charts of a language as SVG, with their paths below the project's folder. */
export function performanceCharts(
  results: Results,
  language: Language,
): readonly (readonly [path: string, svg: string])[] {
  const charts = chartsOf(results, performanceTexts[language]);
  return charts.map(([name, chart]) => [chartPath(name, language), renderChart(chart)]);
}

function chartPath(name: string, language: Language): string {
  return `bench/results/${name}${language === "en" ? "" : `-${language}`}.svg`;
}

function machineOf({ cores, cpuModel, node, date }: Results, text: PerformanceTexts): string {
  const day = new Date(date).toLocaleDateString(text.locale, {
    dateStyle: "long",
    timeZone: "UTC",
  });
  return filled(text.machine, { cores, cpu: cpuModel, node: node.slice(1), date: day });
}

type Row = "cpu" | "cpuLong" | "chunks" | "latency" | "idle" | "rest" | "start" | "image";

/** A column for each candidate. Rows without any figure are left out. */
function tableOf(
  figures: readonly Figures[],
  text: PerformanceTexts,
  only?: readonly Row[],
): string {
  const show = shower(text);
  const cells: Readonly<Record<Row, (one: Figures) => string | undefined>> = {
    cpu: ({ short }) => show.cpu(short),
    cpuLong: ({ long }) => show.cpu(long),
    chunks: ({ chunksPerCpuSecond }) => show.number(chunksPerCpuSecond),
    latency: ({ added }) => added && `${show.ms(added.p50Us)} / ${show.ms(added.p99Us)}`,
    idle: ({ idle }) => show.number(idle?.at(-1)?.kibPerStream, text.kib),
    rest: ({ restMb }) => show.number(restMb, text.mb),
    start: ({ startMs }) => show.number(startMs, text.ms),
    image: ({ imageMb }) => show.number(imageMb, text.mb),
  };
  const count = show.number(figures[0]?.idle?.at(-1)?.count) ?? "";
  const rows = (Object.keys(cells) as Row[]) // keyed by Row, see above
    .filter((row) => only?.includes(row) ?? true)
    .map((row) => [filled(text[row], { count }), ...figures.map(cells[row])])
    .filter(([, ...values]) => values.some((value) => value !== undefined));
  const head = [text.measure, ...figures.map(({ word }) => text[word])];
  const rule = ["---", ...figures.map(() => "---:")];
  const line = (values: readonly (string | undefined)[]) =>
    `| ${values.map((value) => value ?? "–").join(" | ")} |`;
  return [head, rule, ...rows].map(line).join("\n");
}

function chartsOf(results: Results, text: PerformanceTexts): readonly (readonly [string, Chart])[] {
  const show = shower(text);
  const figures = figuresOf(results);
  const bars = (pick: (one: Figures) => number | undefined, shown: (value: number) => string) =>
    figures.flatMap((one): Bar[] => {
      const value = pick(one);
      if (value === undefined) return [];
      return [{ label: text[one.word], value, text: shown(value), kind: one.kind }];
    });
  const latency = {
    title: text.latencyTitle,
    subtitle: text.latencySubtitle,
    scale: "own",
  } as const;
  const memory = {
    title: text.memoryTitle,
    subtitle: text.memorySubtitle,
    scale: "shared",
  } as const;
  const counts = figures[0]?.idle?.map(({ count }) => count) ?? [];
  return [
    [
      "cpu",
      {
        title: text.cpuTitle,
        subtitle: text.cpuSubtitle,
        scale: "shared",
        groups: [
          { title: text.cpuShort, bars: bars(({ short }) => short?.ratio, show.ratio) },
          { title: text.cpuLongShort, bars: bars(({ long }) => long?.ratio, show.ratio) },
          { title: text.cpuStream, bars: bars(({ stream }) => stream?.ratio, show.ratio) },
        ],
      },
    ],
    [
      "latency",
      {
        ...latency,
        groups: [
          { title: text.median, bars: bars(({ added }) => added?.p50Us, show.ms) },
          { title: text.p99, bars: bars(({ added }) => added?.p99Us, show.ms) },
        ],
      },
    ],
    [
      "memory",
      {
        ...memory,
        groups: counts.map((count, index) => ({
          title: filled(text.streams, { count: show.number(count) ?? "" }),
          bars: bars(
            ({ idle }) => idle?.[index]?.kibPerStream,
            (kib) => show.number(kib, text.kib) ?? "",
          ),
        })),
      },
    ],
  ];
}

/** Numbers as the language writes them. */
function shower({ locale, us, ms }: PerformanceTexts) {
  const format = (value: number, digits: number) =>
    value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const ratio = (value: number) => `×${format(value, 2)}`;
  return {
    ratio,
    /** Whole, with its unit. */
    number: (value: number | undefined, unit = "") =>
      value === undefined ? undefined : `${format(value, 0)} ${unit}`.trim(),
    cpu: (cpu: Cpu | undefined) => cpu && `${format(cpu.usPerCall, 0)} ${us} (${ratio(cpu.ratio)})`,
    /** Microseconds as milliseconds. */
    ms: (value: number) => `${format(value / 1_000, 2)} ${ms}`,
  };
}

function filled(text: string, params: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(params[name]));
}
