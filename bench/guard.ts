// Fails when a call has become much dearer: `node bench/guard.ts`, about half a minute.
//
// Only ratios to the bare forwarder in the same run are looked at, with limits far above what is
// usual, since the machine may be slow, shared or busy. A run that fails is repeated once.
import { openLane } from "./lanes.ts";
import { createProcesses, startUpstream } from "./processes.ts";
import { type CpuLine, summarizeCpu } from "./report.ts";
import { measureCpu } from "./rounds.ts";
import { createScenarios } from "./scenarios.ts";

/** About 1.6 times of what is usual. */
const LIMITS: Readonly<Record<string, number>> = {
  "parley /v1 token": 5.6,
  "parley /v1 stream": 2.1,
};
const PLAN = { rounds: 3, seconds: 0.7, warmUpSeconds: 2, latencyRounds: 0, calls: 0 };
const ATTEMPTS = 2;

process.exitCode = await main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  return 1;
});

async function main(): Promise<number> {
  let problems: string[] = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const lines = await measure();
    for (const line of lines) say(`${line.name}: ${line.ratio.toFixed(2)} of ${limitOf(line)}`);
    problems = lines.flatMap(problemsOf);
    if (problems.length === 0) return 0;
    if (attempt < ATTEMPTS) say("once more, as the machine may have been busy");
  }
  for (const problem of problems) say(problem);
  return 1;
}

/** The guarded scenarios, beside those they are compared with. */
async function measure(): Promise<CpuLine[]> {
  const all = createScenarios(null);
  const guarded = all.filter(({ name }) => name in LIMITS);
  const needed = new Set(guarded.flatMap(({ name, baseline }) => [name, baseline]));
  const scenarios = all.filter(({ name }) => needed.has(name));
  const processes = createProcesses();
  try {
    const { origin: upstreamOrigin } = await startUpstream(processes);
    const lanes = [];
    for (const scenario of scenarios)
      lanes.push(await openLane(scenario, upstreamOrigin, processes));
    const lines = summarizeCpu(scenarios, await measureCpu(lanes, PLAN));
    return lines.filter(({ name }) => name in LIMITS);
  } finally {
    await processes.stopAll();
  }
}

function problemsOf(line: CpuLine): string[] {
  const { name, ratio, errors, firstError } = line;
  if (errors > 0) return [`"${name}" answered ${errors} calls wrongly (${firstError}).`];
  if (ratio <= limitOf(line)) return [];
  return [
    `"${name}" takes ${ratio.toFixed(2)} times the CPU of the bare forwarder, and at most ${limitOf(line)} are allowed. ` +
      "Find what made it dearer (npm run bench -- --cpu), or, if it is worth it, raise LIMITS in bench/guard.ts and say why.",
  ];
}

function limitOf({ name }: CpuLine): number {
  return LIMITS[name] ?? Number.NaN;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
