import { setTimeout as sleep } from "node:timers/promises";
import { createIdleStreams } from "./idle-streams.ts";
import { openLane } from "./lanes.ts";
import { createCaller, keepBusy } from "./load.ts";
import { openFilesMax, readRssMb } from "./proc.ts";
import type { Processes } from "./processes.ts";
import { aligned } from "./report.ts";
import { idling } from "./requests.ts";
import type { Scenario } from "./scenarios.ts";
import { median } from "./statistics.ts";

export interface MemoryLine {
  readonly name: string;
  /** Resident memory before the first of the streams, in MB. */
  readonly restMb: number;
  readonly streams: readonly {
    readonly count: number;
    readonly rssMb: number;
    /** What a stream adds to that at rest, in KiB. */
    readonly kibPerStream: number;
  }[];
}

export const STREAM_COUNTS = [1_000, 5_000] as const;
const MOST_STREAMS = Math.max(...STREAM_COUNTS);
/** A gateway has two sockets a stream. The rest is for everything else. */
const FILES_NEEDED = 2 * MOST_STREAMS + 500;
/** Pools and code that any traffic brings are there before anything is compared. */
const WARM_UP_SECONDS = 2;
const WARM_UP_CONNECTIONS = 50;
/** Until resident memory has settled; it is then read over the last seconds. */
const SETTLE_MS = 5_000;
const READINGS = 5;
const READING_MS = 400;
const MB_IN_KIB = 1_000_000 / 1_024;

/** What streams that are open and wait take, one candidate after the other: scenarios of streams. */
export async function measureMemory(
  scenarios: readonly Scenario[],
  upstreamOrigin: string,
  processes: Processes,
): Promise<MemoryLine[]> {
  if (openFilesMax() < FILES_NEEDED) {
    throw new Error(`--memory needs ${FILES_NEEDED} open files: ulimit -n ${FILES_NEEDED}`);
  }
  const lines: MemoryLine[] = [];
  for (const scenario of scenarios) {
    lines.push(await measureOne(scenario, upstreamOrigin, processes));
  }
  return lines;
}

async function measureOne(
  scenario: Scenario,
  upstreamOrigin: string,
  processes: Processes,
): Promise<MemoryLine> {
  const { name } = scenario;
  const lane = await openLane(scenario, upstreamOrigin, processes);
  if (lane.pid === null) throw new Error(`"${name}" is no process`);
  const caller = createCaller(lane.origin, lane.request, WARM_UP_CONNECTIONS);
  await keepBusy(caller, WARM_UP_CONNECTIONS, WARM_UP_SECONDS);
  await caller.close();
  const restMb = await settledMb(lane.pid);
  const streams = createIdleStreams(lane.origin, idling(lane.request));
  const found: MemoryLine["streams"][number][] = [];
  try {
    let open = 0;
    for (const count of STREAM_COUNTS) {
      await streams.open(count - open);
      open = count;
      const rssMb = await settledMb(lane.pid);
      found.push({ count, rssMb, kibPerStream: ((rssMb - restMb) * MB_IN_KIB) / count });
    }
  } finally {
    streams.close();
    await lane.stop();
  }
  return { name, restMb, streams: found };
}

async function settledMb(pid: number): Promise<number> {
  await sleep(SETTLE_MS);
  const readings: number[] = [];
  for (let reading = 0; reading < READINGS; reading++) {
    await sleep(READING_MS);
    readings.push(readRssMb(pid));
  }
  return median(readings);
}

export function formatMemory(lines: readonly MemoryLine[]): string {
  const counts = STREAM_COUNTS.flatMap((count) => [`${count} streams`, "KiB each"]);
  const rows = lines.map(({ name, restMb, streams }) => [
    name,
    `${restMb.toFixed(0)} MB`,
    ...streams.flatMap(({ rssMb, kibPerStream }) => [
      `${rssMb.toFixed(0)} MB`,
      kibPerStream.toFixed(1),
    ]),
  ]);
  return aligned([["memory", "at rest", ...counts], ...rows]);
}
