import type { Results } from "./results.ts";

/** What was found of one candidate; what was not measured is undefined. */
export interface Figures {
  readonly word: "bare" | "parley" | "token" | "envelope" | "chats" | "portkey";
  readonly kind: "own" | "base" | "other";
  readonly short?: Cpu | undefined;
  readonly long?: Cpu | undefined;
  readonly stream?: Cpu | undefined;
  readonly chunksPerCpuSecond?: number | undefined;
  readonly added?: { readonly p50Us: number; readonly p99Us: number } | undefined;
  readonly idle?: readonly { readonly count: number; readonly kibPerStream: number }[] | undefined;
  readonly restMb?: number | undefined;
  readonly startMs?: number | undefined;
  readonly imageMb?: number | undefined;
}

export interface Cpu {
  readonly usPerCall: number;
  readonly ratio: number;
}

/** Candidates in the order they are shown, by the names of their scenarios. */
export function figuresOf(results: Results): readonly Figures[] {
  const { imageMb } = results;
  return [
    { word: "bare", kind: "base", ...callsOf(results, "bare", "bare") },
    { word: "parley", kind: "own", ...callsOf(results, "parley /v1", "parley"), imageMb },
    { word: "token", kind: "own", ...callsOf(results, "parley /v1 token") },
    { word: "envelope", kind: "own", ...callsOf(results, "parley envelope") },
    { word: "chats", kind: "own", ...callsOf(results, "parley chats turn") },
    { word: "portkey", kind: "other", ...callsOf(results, "portkey /v1") },
  ];
}

function callsOf(
  { cpu = [], latency = [], memory = [], start = [] }: Results,
  name: string,
  startName = "",
) {
  const cpuOf = (wanted: string) => cpu.find((line) => line.name === wanted);
  const streams = memory.find((line) => line.name === `${name} stream`);
  return {
    short: cpuOf(name),
    long: cpuOf(`${name} 100 KB`),
    stream: cpuOf(`${name} stream`),
    chunksPerCpuSecond: cpuOf(`${name} stream`)?.chunksPerCpuSecond ?? undefined,
    added: latency.find((line) => line.name === name)?.overDirect ?? undefined,
    idle: streams?.streams,
    restMb: streams?.restMb,
    startMs: start.find((line) => line.name === startName)?.medianMs,
  };
}
