import type { Tally } from "../load.ts";
import { aligned } from "../report.ts";
import { STREAM_CHUNKS } from "../requests.ts";
import { median, percentile } from "../statistics.ts";
import type { Layout } from "./installation.ts";

/** What a load took of everybody, in microseconds of CPU where nothing else is said. */
export interface Metered extends Tally {
  readonly seconds: number;
  readonly copiesUs: readonly number[];
  readonly storeUs: number;
  readonly databaseUs: number;
  readonly upstreamUs: number;
  /** Of the load generator. */
  readonly callerUs: number;
  readonly scripts: number;
  /** By the store's own account. */
  readonly scriptUs: number;
}

export interface Measured {
  readonly name: string;
  readonly layout: Layout;
  readonly rounds: readonly {
    readonly calls: Metered;
    readonly streams: Metered;
    /** Of calls at a rate that leaves the copies mostly idle. */
    readonly latenciesMs: readonly number[];
  }[];
  readonly restMb: readonly number[];
  readonly loadMb: readonly number[];
  readonly bucketBytes: number;
}

/** One installation. Ratios are to one copy with the same stores in the same round. */
export interface CopiesLine {
  readonly name: string;
  readonly layout: Layout;
  readonly callsPerSecond: number;
  readonly callsRatio: number;
  /** CPU of all copies a call. */
  readonly usPerCall: number;
  readonly usRatio: number;
  readonly storeUs: number;
  readonly scriptsPerCall: number;
  readonly usPerScript: number;
  readonly databaseUs: number;
  readonly upstreamUs: number;
  readonly callerUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly chunksPerSecond: number;
  readonly usPerChunk: number;
  readonly restMb: number;
  readonly loadMb: number;
  readonly bucketBytes: number;
  readonly errors: number;
  readonly firstError: string | null;
}

/** All of one database: the one copy with a store is what others are compared with. */
export function summarize(measured: readonly Measured[]): CopiesLine[] {
  const base = measured.find(
    ({ layout: { copies, counts } }) => copies === 1 && counts === "shared",
  );
  return measured.map((one) => lineOf(one, base ?? one));
}

function lineOf(one: Measured, base: Measured): CopiesLine {
  const { name, layout, rounds } = one;
  const ofCalls = (value: (load: Metered) => number) => median(rounds.map((r) => value(r.calls)));
  const ratio = (value: (load: Metered) => number) =>
    median(rounds.map((r, at) => value(r.calls) / value(base.rounds[at]?.calls ?? r.calls)));
  const tallies = rounds.flatMap(({ calls, streams }) => [calls, streams]);
  return {
    name,
    layout,
    callsPerSecond: ofCalls(perSecond),
    callsRatio: ratio(perSecond),
    usPerCall: ofCalls(copiesPerCall),
    usRatio: ratio(copiesPerCall),
    storeUs: ofCalls(({ storeUs, completed }) => storeUs / completed),
    scriptsPerCall: ofCalls(({ scripts, completed }) => scripts / completed),
    usPerScript: ofCalls(({ scripts, scriptUs }) => (scripts === 0 ? 0 : scriptUs / scripts)),
    databaseUs: ofCalls(({ databaseUs, completed }) => databaseUs / completed),
    upstreamUs: ofCalls(({ upstreamUs, completed }) => upstreamUs / completed),
    callerUs: ofCalls(({ callerUs, completed }) => callerUs / completed),
    p50Us: median(rounds.map((r) => percentile(r.latenciesMs, 0.5) * 1_000)),
    p99Us: median(rounds.map((r) => percentile(r.latenciesMs, 0.99) * 1_000)),
    chunksPerSecond: median(rounds.map((r) => perSecond(r.streams) * STREAM_CHUNKS)),
    usPerChunk: median(rounds.map((r) => copiesPerCall(r.streams) / STREAM_CHUNKS)),
    restMb: median(one.restMb),
    loadMb: median(one.loadMb),
    bucketBytes: one.bucketBytes,
    errors: tallies.reduce((sum, { errors }) => sum + errors, 0),
    firstError: tallies.find(({ firstError }) => firstError !== null)?.firstError ?? null,
  };
}

function perSecond({ completed, seconds }: Metered): number {
  return completed / seconds;
}

function copiesPerCall({ copiesUs, completed }: Metered): number {
  return copiesUs.reduce((sum, us) => sum + us, 0) / completed;
}

export function formatCopies(lines: readonly CopiesLine[]): string {
  const head = [
    ...["copies", "calls/s", "ratio", "µs/call", "ratio", "store µs", "scripts", "µs each"],
    ...["database µs", "p50 µs", "p99 µs", "chunks/s", "µs/chunk", "rest MB", "load MB", "errors"],
  ];
  const rows = lines.map((line) => [
    line.name,
    line.callsPerSecond.toFixed(0),
    line.callsRatio.toFixed(2),
    line.usPerCall.toFixed(0),
    line.usRatio.toFixed(2),
    line.storeUs.toFixed(0),
    line.scriptsPerCall.toFixed(2),
    line.usPerScript.toFixed(1),
    line.databaseUs.toFixed(0),
    line.p50Us.toFixed(0),
    line.p99Us.toFixed(0),
    line.chunksPerSecond.toFixed(0),
    line.usPerChunk.toFixed(1),
    line.restMb.toFixed(0),
    line.loadMb.toFixed(0),
    line.errors === 0 ? "0" : `${line.errors} (${line.firstError})`,
  ]);
  return aligned([head, ...rows]);
}
