import type { Tally, TimedTally } from "./load.ts";
import { STREAM_CHUNKS } from "./requests.ts";
import type { CpuRound, Rounds } from "./rounds.ts";
import { BARE, DIRECT, type Scenario } from "./scenarios.ts";
import { median, percentile } from "./statistics.ts";

export interface CpuLine {
  readonly name: string;
  readonly group: string;
  readonly usPerCall: number;
  /** To the baseline's CPU per call in the same round. */
  readonly ratio: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
  readonly callsPerSecond: number;
  /** Pieces of streams passed on in a second of CPU; null where answers are whole. */
  readonly chunksPerCpuSecond: number | null;
  readonly errors: number;
  readonly firstError: string | null;
}

export interface LatencyLine {
  readonly name: string;
  readonly p50Us: number;
  readonly p99Us: number;
  /** The same percentile of the same round without a gateway, and of bare, taken off. */
  readonly overDirect: Added | null;
  readonly overBare: Added | null;
  readonly errors: number;
  readonly firstError: string | null;
}

interface Added {
  readonly p50Us: number;
  readonly p99Us: number;
}

export function summarizeCpu(scenarios: readonly Scenario[], cpu: Rounds<CpuRound>): CpuLine[] {
  return scenarios.flatMap(({ name, group, baseline }) => {
    const rounds = cpu.get(name);
    if (rounds === undefined || rounds.length === 0) return [];
    const perCall = rounds.map(usPerCall);
    const others = cpu.get(baseline ?? name) ?? [];
    const ratios = perCall.map((us, round) => us / usPerCall(others[round]));
    const usual = median(perCall);
    return {
      name,
      group,
      usPerCall: usual,
      ratio: median(ratios),
      ratioMin: Math.min(...ratios),
      ratioMax: Math.max(...ratios),
      callsPerSecond: median(rounds.map(({ completed, seconds }) => completed / seconds)),
      chunksPerCpuSecond: group === "stream" ? (STREAM_CHUNKS * 1_000_000) / usual : null,
      ...errorsOf(rounds),
    };
  });
}

/** Medians of the rounds; what is added is paired by round, as the machine changes between them. */
export function summarizeLatency(latency: Rounds<TimedTally>): LatencyLine[] {
  const rounds = new Map([...latency].map(([name, tallies]) => [name, tallies.map(percentilesOf)]));
  return [...latency].map(([name, tallies]) => {
    const own = rounds.get(name) ?? [];
    const over = (other: string) =>
      name === other || !rounds.has(other) ? null : added(own, rounds.get(other) ?? []);
    return {
      name,
      p50Us: median(own.map(({ p50Us }) => p50Us)),
      p99Us: median(own.map(({ p99Us }) => p99Us)),
      overDirect: over(DIRECT),
      overBare: name === DIRECT ? null : over(BARE),
      ...errorsOf(tallies),
    };
  });
}

export function formatCpu(lines: readonly CpuLine[]): string {
  const head = ["CPU", "µs/call", "ratio", "min–max", "calls/s", "chunks/CPU s", "errors"];
  const rows = lines.map((line) => [
    line.name,
    line.usPerCall.toFixed(1),
    line.ratio.toFixed(2),
    `${line.ratioMin.toFixed(2)}–${line.ratioMax.toFixed(2)}`,
    line.callsPerSecond.toFixed(0),
    line.chunksPerCpuSecond?.toFixed(0) ?? "–",
    errorsText(line),
  ]);
  return aligned([head, ...rows]);
}

export function formatLatency(lines: readonly LatencyLine[]): string {
  const head = ["latency, µs", "p50", "p99", "over direct", "p99", "over bare", "p99", "errors"];
  const pair = (given: Added | null) => [given?.p50Us.toFixed(0), given?.p99Us.toFixed(0)];
  const rows = lines.map((line) => [
    line.name,
    ...[...pair(line), ...pair(line.overDirect), ...pair(line.overBare)].map((cell) => cell ?? "–"),
    errorsText(line),
  ]);
  return aligned([head, ...rows]);
}

/** Columns of plain text: the first to the left, the others to the right. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

function usPerCall(round: CpuRound | undefined): number {
  return round ? (round.cpuMs * 1_000) / round.completed : Number.NaN;
}

function percentilesOf({ latenciesMs }: TimedTally): Added {
  return {
    p50Us: percentile(latenciesMs, 0.5) * 1_000,
    p99Us: percentile(latenciesMs, 0.99) * 1_000,
  };
}

function added(own: readonly Added[], other: readonly Added[]): Added {
  const difference = (pick: (one: Added) => number) =>
    median(own.map((one, round) => pick(one) - pick(other[round] ?? one)));
  return { p50Us: difference(({ p50Us }) => p50Us), p99Us: difference(({ p99Us }) => p99Us) };
}

function errorsOf(tallies: readonly Tally[]) {
  return {
    errors: tallies.reduce((sum, { errors }) => sum + errors, 0),
    firstError: tallies.find(({ firstError }) => firstError !== null)?.firstError ?? null,
  };
}

function errorsText({ errors, firstError }: Pick<CpuLine, "errors" | "firstError">): string {
  return errors === 0 ? "0" : `${errors} (${firstError})`;
}
