import { setTimeout as sleep } from "node:timers/promises";
import { createMemoryGroup } from "./cgroup.ts";
import { createCaller, keepBusy, type Tally } from "./load.ts";
import { issueToken, readMetrics, startParley } from "./parley.ts";
import { readPeakMb, readPrivateMb, readRssMb } from "./proc.ts";
import { freePort, type Processes } from "./processes.ts";
import { MODEL, streamRequest } from "./requests.ts";

/** Parley with many streams under way, in so much memory. In MB where nothing else is said. */
export interface MemoryLimit {
  readonly streams: number;
  readonly limitMb: number;
  /** False where no control group could be made: then the limit was not in force. */
  readonly enforced: boolean;
  readonly nodeMb: number;
  readonly restMb: number;
  /** Of what is resident at rest: used by JavaScript, and buffers outside of its heap. */
  readonly restHeapMb: number;
  readonly restExternalMb: number;
  readonly restPrivateMb: number;
  /** The most that was resident, of the process. */
  readonly peakMb: number;
  /** At the end of the load, without what is a file's and can be given back. */
  readonly privateMb: number;
  /** The most that was charged to the group, which counts its files in the page cache too. */
  readonly chargedMb: number | null;
  readonly kills: number;
  readonly completed: number;
  readonly errors: number;
  readonly firstError: string | null;
}

const LOAD_SECONDS = 12;
const REST_MS = 2_000;
const BYTES_PER_MB = 1_000_000;
/** Whether streams fit into memory must not depend on how fast the machine is. */
const TIMEOUT_MS = 60_000;

export async function measureMemoryLimit(
  streams: number,
  limitMb: number,
  upstreamOrigin: string,
  processes: Processes,
): Promise<MemoryLimit> {
  const group = createMemoryGroup(limitMb);
  try {
    const nodeMb = await bareNodeMb(processes);
    const parley = await startParley(processes, upstreamOrigin, {}, group?.procsFile);
    await sleep(REST_MS);
    const restMb = readRssMb(parley.pid);
    const restPrivateMb = readPrivateMb(parley.pid);
    const metric = await readMetrics(parley.origin);
    const heap = {
      restHeapMb: metric("parley_nodejs_heap_size_used_bytes") / BYTES_PER_MB,
      restExternalMb: metric("parley_nodejs_external_memory_bytes") / BYTES_PER_MB,
    };
    const token = await issueToken(parley.origin, MODEL);
    const caller = createCaller(parley.origin, streamRequest(token), streams, TIMEOUT_MS);
    const tally: Tally = await keepBusy(caller, streams, LOAD_SECONDS);
    const privateMb = readPrivateMb(parley.pid);
    await caller.close();
    const peakMb = readPeakMb(parley.pid);
    const charged = { chargedMb: group?.peakMb() ?? null, kills: group?.kills() ?? 0 };
    await parley.stop();
    const atRest = { enforced: group !== null, nodeMb, restMb, restPrivateMb, ...heap };
    return { streams, limitMb, ...atRest, peakMb, privateMb, ...charged, ...tally };
  } finally {
    await processes.stopAll();
    group?.remove();
  }
}

export function formatMemoryLimit(found: MemoryLimit) {
  const { streams, limitMb, enforced, completed, errors, firstError, kills } = found;
  const mb = (value: number) => `${value.toFixed(0)} MB`;
  const charged = found.chargedMb === null ? "" : `, ${mb(found.chargedMb)} with its files`;
  const passed = kills === 0 && errors === 0 && completed >= streams;
  const verdict = enforced ? "ok" : "answered, but nothing is proven of the limit";
  const text = [
    `${streams} streams at a time within ${limitMb} MB${enforced ? "" : " (not in force: no control group may be made here)"}`,
    `at rest:  ${mb(found.restMb)}: Node ${mb(found.nodeMb)}, all else ${mb(found.restMb - found.nodeMb)}`,
    `          ${mb(found.restPrivateMb)} of it are in no file; JavaScript uses ${mb(found.restHeapMb)} of them, buffers ${mb(found.restExternalMb)}`,
    `peak:     ${mb(found.peakMb)} resident${charged}; ${mb(found.privateMb)} in no file at the end`,
    `answered: ${completed} streams, ${errors} errors${firstError === null ? "" : ` (${firstError})`}, ${kills} kills`,
    passed ? verdict : "FAILED: it does not fit",
  ];
  return { text: text.join("\n"), passed };
}

/** What Node takes before it has anything to do but serve. */
async function bareNodeMb(processes: Processes): Promise<number> {
  const port = await freePort();
  const server = `require("node:http").createServer((_, answer) => answer.end()).listen(${port}, "127.0.0.1")`;
  const args = [server];
  const running = await processes.start({ script: "-e", args, env: {}, port, readyPath: "/" });
  await sleep(REST_MS);
  const rssMb = readRssMb(running.pid);
  await running.stop();
  return rssMb;
}
