import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import type { MemoryLine } from "./memory.ts";
import type { MemoryLimit } from "./memory-limit.ts";
import type { CpuLine, LatencyLine } from "./report.ts";
import type { CopiesLine } from "./scale/copies-report.ts";
import type { Soak } from "./soak.ts";
import type { StartLine } from "./start-up.ts";

/** What a run found, as `--json` writes it. Parts that were not measured are left out. */
export interface Results {
  readonly date: string;
  readonly node: string;
  readonly cpuModel: string;
  readonly cores: number;
  readonly cpu?: readonly CpuLine[];
  readonly latency?: readonly LatencyLine[];
  readonly memory?: readonly MemoryLine[];
  readonly start?: readonly StartLine[];
  readonly imageMb?: number;
  readonly memoryLimit?: MemoryLimit;
  readonly soak?: Soak;
  readonly copies?: readonly CopiesLine[];
}

export type Parts = Omit<Results, "date" | "node" | "cpuModel" | "cores">;

export function resultsOf(parts: Parts): Results {
  const [cpu] = cpus();
  return {
    date: new Date().toISOString(),
    node: process.version,
    cpuModel: cpu?.model.trim() ?? "unknown",
    cores: cpus().length,
    ...parts,
  };
}

export function writeResults(file: string, results: Results): void {
  writeFileSync(file, `${JSON.stringify(results, rounded, 2)}\n`);
}

/** Digits after the third are noise. */
function rounded(_name: string, value: unknown): unknown {
  return typeof value === "number" ? Math.round(value * 1_000) / 1_000 : value;
}

/** Files of `--json` are trusted: they are ours. */
export function readResults(file: string): Results {
  return JSON.parse(readFileSync(file, "utf8"));
}
