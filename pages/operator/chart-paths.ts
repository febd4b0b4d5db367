import type { ChartSeries } from "./chart.tsx";

/** In units of the drawing; each point is 1 wide. */
export const PLOT_HEIGHT = 100;
/** Of many points nobody sees the gap. */
const MAX_GAPPED_POINTS = 60;
const GAP = 0.2;

interface Drawing {
  readonly highest: number;
  readonly paths: readonly { readonly key: string; readonly d: string }[];
}

const rounded = (value: number) => Number(value.toFixed(2));

/** Bars whose parts stand on each other: one path for each series, however many points. */
export function barPaths(series: readonly ChartSeries[]): Drawing {
  const points = series[0]?.values.length ?? 0;
  const totals = Array.from({ length: points }, (_none, at) =>
    series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0),
  );
  const highest = Math.max(0, ...totals);
  const gap = points > MAX_GAPPED_POINTS ? 0 : GAP;
  const below = totals.map(() => 0);
  const paths = series.map(({ key, values }) => {
    const bars = values.map((value, at) => {
      if (value === null || value === 0) return "";
      const height = (value / highest) * PLOT_HEIGHT;
      const from = (below[at] ?? 0) + height;
      below[at] = from;
      const top = rounded(PLOT_HEIGHT - from);
      return `M${at + gap / 2} ${top}h${1 - gap}v${rounded(height)}h${gap - 1}z`;
    });
    return { key, d: bars.join("") };
  });
  return { highest, paths };
}

/** A step for each point, so that a lone one is seen; where nothing is known there is a gap. */
export function linePaths(series: readonly ChartSeries[]): Drawing {
  const highest = Math.max(0, ...series.flatMap(({ values }) => values.map((one) => one ?? 0)));
  const paths = series.map(({ key, values }) => {
    const steps = values.map((value, at) => {
      if (value === null) return "";
      const top = rounded(PLOT_HEIGHT * (1 - value / (highest || 1)));
      const isJoined = (values[at - 1] ?? null) !== null;
      return `${isJoined ? "V" : `M${at} `}${top}h1`;
    });
    return { key, d: steps.join("") };
  });
  return { highest, paths };
}
