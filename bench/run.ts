import { bare, parley } from "./candidates.ts";
import { openLane } from "./lanes.ts";
import { formatMemory, measureMemory } from "./memory.ts";
import { formatMemoryLimit, measureMemoryLimit } from "./memory-limit.ts";
import { type Options, type Phase, readOptions, USAGE } from "./options.ts";
import { installPortkey } from "./portkey.ts";
import { createProcesses, type Processes, type Running, startUpstream } from "./processes.ts";
import {
  type CpuLine,
  formatCpu,
  formatLatency,
  summarizeCpu,
  summarizeLatency,
} from "./report.ts";
import { type Parts, resultsOf, writeResults } from "./results.ts";
import { CALLS_PER_SECOND, measureCpu, measureLatency } from "./rounds.ts";
import { measureCopies } from "./scale/copies.ts";
import { formatCopies } from "./scale/copies-report.ts";
import { CONTROL, choose, createScenarios, type Scenario } from "./scenarios.ts";
import { formatSoak, soak } from "./soak.ts";
import { formatStart, measureStart } from "./start-up.ts";

process.exitCode = await main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  return 1;
});

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === null) {
    say(USAGE);
    return 0;
  }
  const processes = createProcesses();
  try {
    const upstream = await startUpstream(processes);
    const verdict = await prove(options, upstream.origin, processes);
    if (verdict !== null) return verdict ? 0 : 1;
    save(options, await figures(options, upstream, processes));
    return 0;
  } finally {
    await processes.stopAll();
  }
}

/** What passes or fails, and is asked for instead of figures; null when it is not asked for. */
async function prove(
  options: Options,
  upstreamOrigin: string,
  processes: Processes,
): Promise<boolean | null> {
  const { soakMinutes, memoryLimit } = options;
  if (soakMinutes !== null) {
    const found = await soak(soakMinutes, upstreamOrigin, processes, say);
    save(options, { soak: found });
    const { text, passed } = formatSoak(found);
    say(`\n${text}`);
    return passed;
  }
  if (memoryLimit !== null) {
    const { streams, limitMb } = memoryLimit;
    const found = await measureMemoryLimit(streams, limitMb, upstreamOrigin, processes);
    save(options, { memoryLimit: found });
    const { text, passed } = formatMemoryLimit(found);
    say(text);
    return passed;
  }
  return null;
}

async function figures(options: Options, upstream: Running, processes: Processes): Promise<Parts> {
  if (options.copies === null) return await measure(options, upstream.origin, processes);
  const copies = await measureCopies(options.copies, options, upstream, processes, say);
  say(`\n${formatCopies(copies)}`);
  return { copies };
}

async function measure(
  options: Options,
  upstreamOrigin: string,
  processes: Processes,
): Promise<Parts> {
  const scenarios = createScenarios(options.portkey ? installPortkey(say) : null);
  const wants = (phase: Phase) => options.phases.includes(phase);
  const chosen = choose(scenarios, options.only);
  const calls = await measureCalls(chosen, options, upstreamOrigin, processes);
  const parts: { -readonly [Name in keyof Parts]: Parts[Name] } = { ...calls };
  if (options.imageMb !== null) parts.imageMb = options.imageMb;
  if (wants("memory")) {
    say("memory: open, idle streams, one candidate after the other …");
    const streams = scenarios.filter(({ group }) => group === "stream");
    parts.memory = await measureMemory(streams, upstreamOrigin, processes);
    say(`${formatMemory(parts.memory)}\n`);
  }
  if (wants("start")) {
    say("start-up: from the start of the process to the first 200 …");
    const named = [
      ["bare", bare],
      ["parley", parley],
    ] as const;
    parts.start = await measureStart(named, upstreamOrigin, processes);
    say(`${formatStart(parts.start)}\n`);
  }
  return parts;
}

/** The phases that put calls side by side, on candidates that run all the while. */
async function measureCalls(
  scenarios: readonly Scenario[],
  options: Options,
  upstreamOrigin: string,
  processes: Processes,
): Promise<Pick<Parts, "cpu" | "latency">> {
  const { phases, rounds, seconds, latencyRounds, calls } = options;
  const parts: { cpu?: CpuLine[]; latency?: ReturnType<typeof summarizeLatency> } = {};
  const used = scenarios.filter(({ timed }) => phases.includes("cpu") || timed);
  if (!phases.includes("cpu") && !phases.includes("latency")) return parts;
  const lanes = [];
  for (const scenario of used) lanes.push(await openLane(scenario, upstreamOrigin, processes));
  if (phases.includes("cpu")) {
    say(`CPU: ${rounds} rounds of ${seconds} s, interleaved …`);
    parts.cpu = summarizeCpu(scenarios, await measureCpu(lanes, options));
    say(`${formatCpu(parts.cpu)}\n`);
    warnOfNoise(parts.cpu);
  }
  if (phases.includes("latency")) {
    say(`latency: ${latencyRounds} rounds of ${calls} calls at ${CALLS_PER_SECOND}/s …`);
    parts.latency = summarizeLatency(await measureLatency(lanes, options));
    say(`${formatLatency(parts.latency)}\n`);
  }
  await Promise.all(lanes.map(({ stop }) => stop()));
  return parts;
}

function warnOfNoise(lines: readonly CpuLine[]): void {
  const off = Math.abs((lines.find(({ name }) => name === CONTROL)?.ratio ?? 1) - 1);
  // A quiet machine stays well within it at 8 rounds.
  if (off <= 0.1) return;
  say(
    `Noisy: "${CONTROL}" should be 1.00. Differences under ${Math.ceil(off * 100)} % say nothing;`,
  );
  say("repeat with more --rounds, or when the machine does nothing else.\n");
}

function save(options: Options, parts: Parts): void {
  if (options.jsonFile !== null) writeResults(options.jsonFile, resultsOf(parts));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
