import { appendFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { issueToken, readMetrics, startParley } from "./parley.ts";
import { countSockets, readCpuMs, readRssMb } from "./proc.ts";
import type { Processes } from "./processes.ts";
import { MODEL } from "./requests.ts";
import { fitGrowth, type Growth, type SoakSample } from "./soak-fit.ts";
import { createSoakLoad, type SoakTally } from "./soak-load.ts";

export interface Soak extends Growth {
  readonly samples: readonly SoakSample[];
  readonly calls: number;
  readonly rowsWanted: number;
  readonly rows: number;
  readonly reservations: number;
  readonly openCalls: number;
  /** Sockets at the end that were not there before the load. */
  readonly socketsLeft: number;
  readonly surprises: Readonly<Record<string, number>>;
}

/** Takes about a fifth of a core. */
const CALLS_PER_SECOND = 150;
const SAMPLE_SECONDS = 15;
/** For connections that nobody uses to be closed on both sides, and collected garbage given back. */
const AFTER_SECONDS = 20;
/** Limits that one greedy address reaches, and the others do not. */
const SETTINGS = {
  SECOND_LIMIT: "5",
  MINUTE_LIMIT: "60",
  HOUR_LIMIT: "3600",
  TRUSTED_PROXIES: "loopback",
};

type Say = (text: string) => void;

/** A mixed load for so many minutes on one Parley: whether memory stays, and nothing is left over. */
export async function soak(
  minutes: number,
  upstreamOrigin: string,
  processes: Processes,
  say: Say,
): Promise<Soak> {
  const parley = await startParley(processes, upstreamOrigin, SETTINGS);
  const load = createSoakLoad(parley.origin, await issueToken(parley.origin, MODEL));
  const socketsAtRest = countSockets(parley.pid);
  const csvFile = join(
    tmpdir(),
    `parley-soak-${new Date().toISOString().replaceAll(":", "-")}.csv`,
  );
  say(`soak: ${minutes} min at ${CALLS_PER_SECOND} calls/s; samples go to ${csvFile}`);
  const sampling = new AbortController();
  const samples = sampleUntil(sampling.signal, parley.pid, load.tally, csvFile, say);
  await load.run(minutes, CALLS_PER_SECOND);
  sampling.abort();
  const taken = await samples;
  await load.close();
  await sleep(AFTER_SECONDS * 1_000);
  say(`${AFTER_SECONDS} s after the last call: ${readRssMb(parley.pid).toFixed(1)} MB resident`);
  return {
    ...fitGrowth(taken),
    samples: taken,
    calls: load.tally.calls,
    rowsWanted: load.tally.rows,
    ...rowsIn(join(parley.folder, "data")),
    openCalls: (await readMetrics(parley.origin))("parley_open_calls"),
    socketsLeft: countSockets(parley.pid) - socketsAtRest,
    surprises: Object.fromEntries(load.tally.surprises),
  };
}

export function formatSoak(result: Soak): { readonly text: string; readonly passed: boolean } {
  const quarters = result.quarters.map((value) => value.toFixed(2)).join(", ");
  const checks: readonly (readonly [string, boolean])[] = [
    [
      `memory grew by ${result.mbPerMinute.toFixed(2)} MB/min (by quarters: ${quarters}), at most 1 and falling`,
      result.bounded,
    ],
    [`ledger rows: ${result.rows} of ${result.rowsWanted}`, result.rows === result.rowsWanted],
    [`reservations left: ${result.reservations}`, result.reservations === 0],
    [`open calls left: ${result.openCalls}`, result.openCalls === 0],
    [`sockets left: ${result.socketsLeft}`, result.socketsLeft <= 0],
    [
      `unexpected: ${JSON.stringify(result.surprises)} in ${result.calls} calls`,
      Object.keys(result.surprises).length === 0,
    ],
  ];
  const lines = checks.map(([text, good]) => `${good ? "ok    " : "FAILED"} ${text}`);
  return { text: lines.join("\n"), passed: checks.every(([, good]) => good) };
}

/** One line a sample, written at once: what was measured is there even if the run is cut off. */
async function sampleUntil(
  signal: AbortSignal,
  pid: number,
  tally: SoakTally,
  csvFile: string,
  say: Say,
): Promise<SoakSample[]> {
  const samples: SoakSample[] = [];
  const startMs = performance.now();
  let beforeCpuMs = readCpuMs(pid);
  writeFileSync(csvFile, "minutes,rss_mb,cpu_percent,calls,open,unexpected\n");
  for (let due = 1; !signal.aborted; due++) {
    const waitMs = startMs + due * SAMPLE_SECONDS * 1_000 - performance.now();
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const minutes = (performance.now() - startMs) / 60_000;
    const rssMb = readRssMb(pid);
    const cpuMs = readCpuMs(pid);
    const cpuPercent = (cpuMs - beforeCpuMs) / (SAMPLE_SECONDS * 10);
    beforeCpuMs = cpuMs;
    samples.push({ minutes, rssMb });
    const { calls, open, surprises } = tally;
    const figures = [minutes.toFixed(2), rssMb.toFixed(1), cpuPercent.toFixed(1)];
    appendFileSync(csvFile, `${[...figures, calls, open, surprises.size].join(",")}\n`);
    if (due % 4 === 0) {
      say(`${figures[0]} min: ${figures[1]} MB, ${figures[2]} % of a core, ${calls} calls`);
    }
  }
  return samples;
}

function rowsIn(folder: string): { readonly rows: number; readonly reservations: number } {
  const database = new DatabaseSync(join(folder, "parley.sqlite"), { readOnly: true });
  const count = (table: string) =>
    Number(database.prepare(`select count(*) as rows from ${table}`).get()?.rows);
  try {
    return { rows: count("ledger"), reservations: count("reservations") };
  } finally {
    database.close();
  }
}
