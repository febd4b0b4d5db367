import type { Candidate } from "./candidates.ts";
import { freePort, type Processes } from "./processes.ts";
import { aligned } from "./report.ts";
import { median } from "./statistics.ts";

export interface StartLine {
  readonly name: string;
  /** From the start of the process to its first answer with 200, in ms: median of the starts. */
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

const STARTS = 10;

/** Candidates in turns. Their code is compiled already, as it is in the image. */
export async function measureStart(
  candidates: readonly (readonly [string, Candidate])[],
  upstreamOrigin: string,
  processes: Processes,
): Promise<StartLine[]> {
  const runs = candidates.map(([name, candidate]) => ({ name, candidate, found: [] as number[] }));
  for (let round = 0; round < STARTS; round++) {
    for (const { candidate, found } of runs) {
      found.push(await startOnce(candidate, upstreamOrigin, processes));
    }
  }
  return runs.map(({ name, found }) => ({
    name,
    medianMs: median(found),
    minMs: Math.min(...found),
    maxMs: Math.max(...found),
  }));
}

async function startOnce(
  { script, args, env, readyPath }: Candidate,
  upstreamOrigin: string,
  processes: Processes,
): Promise<number> {
  if (script === null) throw new Error("there is nothing to start");
  const place = { port: await freePort(), upstreamOrigin };
  const running = await processes.start({
    script,
    args: args(place),
    env: env(place),
    port: place.port,
    readyPath,
  });
  await running.stop();
  return running.startMs;
}

export function formatStart(lines: readonly StartLine[]): string {
  const rows = lines.map(({ name, medianMs, minMs, maxMs }) => [
    name,
    medianMs.toFixed(0),
    `${minMs.toFixed(0)}–${maxMs.toFixed(0)}`,
  ]);
  return aligned([["start, ms", "median", "min–max"], ...rows]);
}
