import type { Tally, TimedTally } from "./load.ts";
import type { CpuRound, Lane, Rounds } from "./rounds.ts";
import { median, percentile } from "./statistics.ts";

export interface Line {
  readonly name: string;
  /** Null without a gateway. */
  readonly cpu: CpuSummary | null;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Percentiles less those of the same load without a gateway; null for that load itself. */
  readonly addedP50Us: number | null;
  readonly addedP99Us: number | null;
  readonly errors: number;
  readonly firstError: string | null;
}

export interface CpuSummary {
  readonly usPerCall: number;
  readonly callsPerRound: number;
  /** To the baseline's CPU per call in the same round. */
  readonly ratio: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
}

export function summarize(
  lanes: readonly Lane[],
  cpu: Rounds<CpuRound>,
  latency: Rounds<TimedTally>,
): Line[] {
  return lanes.map(({ scenario: { name, baseline, direct } }) => {
    const cpuRounds = cpu.get(name) ?? [];
    const timed = latency.get(name) ?? [];
    const tallies: readonly Tally[] = [...cpuRounds, ...timed];
    const own = latenciesUs(timed);
    const without = name === direct ? [] : latenciesUs(latency.get(direct) ?? []);
    return {
      name,
      cpu: summarizeCpu(cpuRounds, cpu.get(baseline ?? name) ?? []),
      p50Us: percentile(own, 0.5),
      p99Us: percentile(own, 0.99),
      addedP50Us: difference(own, without, 0.5),
      addedP99Us: difference(own, without, 0.99),
      errors: tallies.reduce((sum, { errors }) => sum + errors, 0),
      firstError: tallies.find(({ firstError }) => firstError !== null)?.firstError ?? null,
    };
  });
}

export function formatTable(lines: readonly Line[]): string {
  const head = [
    "scenario",
    "µs/call",
    "ratio",
    "min–max",
    "calls/round",
    "p50",
    "p99",
    "added p50",
    "added p99",
    "errors",
  ];
  const rows = lines.map(({ name, cpu, ...line }) => [
    name,
    cpu ? cpu.usPerCall.toFixed(1) : "–",
    cpu ? cpu.ratio.toFixed(2) : "–",
    cpu ? `${cpu.ratioMin.toFixed(2)}–${cpu.ratioMax.toFixed(2)}` : "–",
    cpu ? cpu.callsPerRound.toFixed(0) : "–",
    line.p50Us.toFixed(0),
    line.p99Us.toFixed(0),
    line.addedP50Us?.toFixed(0) ?? "–",
    line.addedP99Us?.toFixed(0) ?? "–",
    line.errors === 0 ? "0" : `${line.errors} (${line.firstError})`,
  ]);
  return aligned([head, ...rows]);
}

function summarizeCpu(
  rounds: readonly CpuRound[],
  baseline: readonly CpuRound[],
): CpuSummary | null {
  if (rounds.length === 0) return null;
  const perCall = rounds.map(usPerCall);
  const ratios = perCall.map((us, round) => us / usPerCall(baseline[round]));
  return {
    usPerCall: median(perCall),
    callsPerRound: median(rounds.map(({ completed }) => completed)),
    ratio: median(ratios),
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
  };
}

function usPerCall(round: CpuRound | undefined): number {
  return round ? (round.cpuMs * 1_000) / round.completed : Number.NaN;
}

function latenciesUs(rounds: readonly TimedTally[]): number[] {
  return rounds.flatMap(({ latenciesMs }) => latenciesMs.map((ms) => ms * 1_000));
}

function difference(
  own: readonly number[],
  without: readonly number[],
  share: number,
): number | null {
  return without.length === 0 ? null : percentile(own, share) - percentile(without, share);
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}
