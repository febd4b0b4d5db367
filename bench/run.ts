import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CONTROL, GUARDED, type Scenario, scenarios } from "./candidates.ts";
import { createCaller } from "./load.ts";
import { type Options, readOptions, USAGE } from "./options.ts";
import { createProcesses, freePort, type Processes } from "./processes.ts";
import { formatTable, type Line, summarize } from "./report.ts";
import { CALLS_PER_SECOND, type Lane, measureCpu, measureLatency } from "./rounds.ts";

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
  if (process.platform !== "linux") {
    throw new Error("The benchmark reads CPU times from /proc and runs on Linux only.");
  }
  const chosen = choose(options.only);
  const processes = createProcesses();
  process.once("exit", processes.killAll);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => process.exit(1));
  }
  try {
    return await measure(chosen, options, processes);
  } finally {
    await processes.stopAll();
  }
}

async function measure(
  chosen: readonly Scenario[],
  options: Options,
  processes: Processes,
): Promise<number> {
  const upstreamOrigin = await startUpstream(processes);
  const lanes: Lane[] = [];
  for (const scenario of chosen) {
    const lane = await open(scenario, upstreamOrigin, processes);
    if (lane) lanes.push(lane);
  }
  const up = new Set<string | null>([null, ...lanes.map(({ scenario }) => scenario.name)]);
  const lost = chosen.find(({ baseline, direct }) => !(up.has(baseline) && up.has(direct)));
  if (lost) throw new Error(`"${lost.name}" has nothing to be compared with.`);

  say(`CPU: ${options.rounds} rounds of ${options.seconds} s, interleaved …`);
  const cpu = await measureCpu(lanes, options);
  say(`latency: ${options.rounds} rounds of ${options.seconds} s at ${CALLS_PER_SECOND} calls/s …`);
  const latency = await measureLatency(lanes, options);

  const lines = summarize(lanes, cpu, latency);
  say(`\n${formatTable(lines)}\n\nµs/call: CPU of the gateway. ratio: to bare, paired by round.`);
  say("p50, p99: µs to the first byte of the answer; added: less the same without a gateway.");
  warnOfNoise(lines);
  if (options.jsonFile !== null) {
    const rounds = { cpu: Object.fromEntries(cpu), latency: Object.fromEntries(latency) };
    writeFileSync(
      options.jsonFile,
      JSON.stringify({ node: process.version, options, lines, rounds }),
    );
  }
  return options.guardRatio === null ? 0 : guard(lines, options.guardRatio);
}

/** The scenarios asked for, with those they are compared with. */
function choose(only: readonly string[]): Scenario[] {
  const unknown = only.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown !== undefined) {
    const names = scenarios.map(({ name }) => name).join(", ");
    throw new Error(`No scenario "${unknown}". There are: ${names}`);
  }
  const asked = scenarios.filter(({ name }) => only.length === 0 || only.includes(name));
  const wanted = new Set(asked.flatMap(({ name, baseline, direct }) => [name, baseline, direct]));
  return scenarios.filter(({ name }) => wanted.has(name));
}

async function startUpstream(processes: Processes): Promise<string> {
  const port = await freePort();
  const script = fileURLToPath(new URL("./upstream.ts", import.meta.url));
  const args = [String(port)];
  const { origin } = await processes.start({ script, args, env: {}, port, readyPath: "/healthz" });
  return origin;
}

/** Null, with a word why, when the candidate does not start or does not answer its request. */
async function open(
  scenario: Scenario,
  upstreamOrigin: string,
  processes: Processes,
): Promise<Lane | null> {
  const { name, candidate, request } = scenario;
  try {
    const place = { port: await freePort(), upstreamOrigin };
    const { script, args, env, readyPath } = candidate;
    const start = { args: args(place), env: env(place), port: place.port, readyPath };
    const running = script === null ? null : await processes.start({ ...start, script });
    const origin = running?.origin ?? upstreamOrigin;
    const caller = createCaller(origin, request, 1);
    const result = await caller.call();
    await caller.close();
    if ("problem" in result) throw new Error(`POST ${request.path}: ${result.problem}`);
    return { scenario, origin, pid: running?.pid ?? null };
  } catch (error) {
    say(`skipped "${name}": ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function warnOfNoise(lines: readonly Line[]): void {
  const off = Math.abs((ratioOf(lines, CONTROL) ?? 1) - 1);
  // A quiet machine stays well within it at 8 rounds.
  if (off <= 0.1) return;
  say(
    `\nNoisy: "${CONTROL}" should be 1.00. Differences under ${Math.ceil(off * 100)} % say nothing;`,
  );
  say("repeat with more --rounds, or when the machine does nothing else.");
}

function guard(lines: readonly Line[], limit: number): number {
  const ratio = ratioOf(lines, GUARDED);
  const faulty = lines.find(({ errors }) => errors > 0);
  if (ratio === undefined) say(`guard: "${GUARDED}" was not measured`);
  else if (faulty) say(`guard: "${faulty.name}" had errors, so the ratio proves nothing`);
  else if (!(ratio <= limit)) say(`guard: ${ratio.toFixed(2)} is over ${limit}`);
  else return 0;
  return 1;
}

function ratioOf(lines: readonly Line[], wanted: string): number | undefined {
  return lines.find(({ name }) => name === wanted)?.cpu?.ratio;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
