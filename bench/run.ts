import { fileURLToPath } from "node:url";
import { openLane } from "./lanes.ts";
import { type Options, readOptions, USAGE } from "./options.ts";
import { createProcesses, freePort, type Processes } from "./processes.ts";
import {
  type CpuLine,
  formatCpu,
  formatLatency,
  summarizeCpu,
  summarizeLatency,
} from "./report.ts";
import { type Parts, resultsOf, writeResults } from "./results.ts";
import { CALLS_PER_SECOND, measureCpu, measureLatency } from "./rounds.ts";
import { CONTROL, choose, createScenarios } from "./scenarios.ts";
import { formatSoak, soak } from "./soak.ts";

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
    const { passed, ...parts } = await measure(options, processes);
    if (options.jsonFile !== null) writeResults(options.jsonFile, resultsOf(parts));
    return passed ? 0 : 1;
  } finally {
    await processes.stopAll();
  }
}

async function measure(
  options: Options,
  processes: Processes,
): Promise<Parts & { readonly passed: boolean }> {
  const upstreamOrigin = await startUpstream(processes);
  if (options.soakMinutes !== null) {
    const result = await soak(options.soakMinutes, upstreamOrigin, processes, say);
    const { text, passed } = formatSoak(result);
    say(`\n${text}`);
    return { soak: result, passed };
  }
  return { passed: true, ...(await measureCalls(options, upstreamOrigin, processes)) };
}

async function measureCalls(options: Options, upstreamOrigin: string, processes: Processes) {
  const scenarios = choose(createScenarios(null), options.only);
  const lanes = [];
  for (const scenario of scenarios) lanes.push(await openLane(scenario, upstreamOrigin, processes));
  say(`CPU: ${options.rounds} rounds of ${options.seconds} s, interleaved …`);
  const cpu = summarizeCpu(scenarios, await measureCpu(lanes, options));
  say(formatCpu(cpu));
  warnOfNoise(cpu);
  say(
    `latency: ${options.latencyRounds} rounds of ${options.calls} calls at ${CALLS_PER_SECOND}/s …`,
  );
  const latency = summarizeLatency(await measureLatency(lanes, options));
  say(formatLatency(latency));
  return { cpu, latency };
}

async function startUpstream(processes: Processes): Promise<string> {
  const port = await freePort();
  const script = fileURLToPath(new URL("./upstream.ts", import.meta.url));
  const args = [String(port)];
  const { origin } = await processes.start({ script, args, env: {}, port, readyPath: "/healthz" });
  return origin;
}

function warnOfNoise(lines: readonly CpuLine[]): void {
  const off = Math.abs((lines.find(({ name }) => name === CONTROL)?.ratio ?? 1) - 1);
  // A quiet machine stays well within it at 8 rounds.
  if (off <= 0.1) return;
  say(
    `\nNoisy: "${CONTROL}" should be 1.00. Differences under ${Math.ceil(off * 100)} % say nothing;`,
  );
  say("repeat with more --rounds, or when the machine does nothing else.");
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
