import { setTimeout as wait } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { AnswerTable } from "../dialects/edge/idempotency.ts";
import { describeError, type Log } from "../log.ts";
import { type MetricsSnapshot, renderTogether } from "../metrics/together.ts";
import type { DeedsOfFirst, DeedsOfOthers } from "./deeds.ts";
import { createLine, type Line } from "./line.ts";
import type { Seat } from "./seat.ts";
import { FAREWELL_MS } from "./serving.ts";
import { createSharedCells, type SharedMemory } from "./shared-cells.ts";

/** A worker that does not answer within this is passed over. */
const ANSWER_MS = 1_000;
/** For the last rows to be written and the database to be closed. */
const CLOSE_MS = 10_000;

/** What a thread is told about itself when it is started. */
export interface WorkerData {
  readonly number: number;
  readonly workers: number;
  readonly memory: SharedMemory;
  /** Files that settings name, as worker 0 has read them. */
  readonly files: ReadonlyMap<string, string>;
}

export interface OthersOptions {
  readonly workers: number;
  readonly files: ReadonlyMap<string, string>;
  readonly log: Log;
  readonly writeLog: (text: string) => void;
  /** A worker has broken or is gone; it was logged. */
  readonly onFailed: () => void;
}

/** The other workers, as worker 0 sees them. */
export interface Others {
  /** Worker 0's own. */
  readonly seat: Seat;
  /** Starts them, once worker 0 has composed; resolves when calls come in there too. */
  start(script: URL, port: number): Promise<void>;
  /** The two as in Serving, each for all of them together. */
  leaveOff(): Promise<number>;
  finish(seconds: number): Promise<number>;
}

interface Other {
  readonly line: Line<DeedsOfOthers>;
  latest: MetricsSnapshot;
}

export function createOthers(options: OthersOptions): Others {
  const { workers, files } = options;
  const memory: SharedMemory = new Map();
  const others: Other[] = [];
  const snapshots = () =>
    Promise.all(
      others.map(async (other) => {
        // one that is too busy counts as it last did: what is counted never goes back
        other.latest = await within(other.line.ask("snapshot"), ANSWER_MS, other.latest);
        return other.latest;
      }),
    );
  const { seat, deeds } = createFirstSeat(options, { memory, others, snapshots });
  const sum = async (numbers: Promise<number>[], ms: number): Promise<number> => {
    const known = await Promise.all(numbers.map((number) => within(number, ms, 0)));
    return known.reduce((all, one) => all + one, 0);
  };
  return {
    seat,
    async start(script, port) {
      for (let number = 1; number < workers; number += 1) {
        const line = startThread(script, { number, workers, memory, files }, deeds, options);
        others.push({ line, latest: [] });
      }
      await Promise.all(others.map(({ line }) => line.ask("listen", port)));
    },
    leaveOff: () =>
      sum(
        others.map(({ line }) => line.ask("leaveOff")),
        ANSWER_MS,
      ),
    finish: (seconds) =>
      sum(
        others.map(({ line }) => line.ask("finish", seconds)),
        seconds * 1_000 + FAREWELL_MS + CLOSE_MS,
      ),
  };
}

function startThread(
  script: URL,
  workerData: WorkerData,
  deeds: DeedsOfFirst,
  { log, onFailed }: OthersOptions,
): Line<DeedsOfOthers> {
  const { number } = workerData;
  const worker = new Worker(script, { workerData, name: `parley ${number}` });
  const line = createLine<DeedsOfOthers, DeedsOfFirst>(worker, deeds);
  worker.on("error", (error) => {
    log.error("worker broke", { thread: number, ...describeError(error) });
  });
  worker.on("exit", (code) => {
    line.cut();
    log.error("worker ended", { thread: number, code });
    onFailed();
  });
  return line;
}

interface Inside {
  readonly memory: SharedMemory;
  readonly others: readonly Other[];
  readonly snapshots: () => Promise<MetricsSnapshot[]>;
}

/** Where worker 0 sits, and what it does from there for the others. */
function createFirstSeat(
  { workers, writeLog, onFailed }: OthersOptions,
  { memory, others, snapshots }: Inside,
): { seat: Seat; deeds: DeedsOfFirst } {
  const composed = Promise.withResolvers<AnswerTable>();
  let render = async () => "";
  const seat: Seat = {
    number: 0,
    workers,
    cells: createSharedCells(memory),
    answers(own) {
      composed.resolve(own);
      return own;
    },
    metrics(own) {
      render = async () => renderTogether([await own.snapshot(), ...(await snapshots())]);
      return render;
    },
  };
  const deeds: DeedsOfFirst = {
    log: writeLog,
    async once(from, id, name, wanted) {
      const answers = await composed.promise;
      const ask = async () => {
        const line = others[from - 1]?.line;
        if (line === undefined) throw new Error("a worker nobody started asks");
        return line.ask("answer", id);
      };
      return answers.once(name, wanted, ask);
    },
    metrics: () => render(),
    failed: onFailed,
  };
  return { seat, deeds };
}

async function within<T>(promise: Promise<T>, ms: number, otherwise: T): Promise<T> {
  const over = new AbortController();
  const late = wait(ms, otherwise, { signal: over.signal, ref: false }).catch(() => otherwise);
  try {
    return await Promise.race([promise, late]);
  } catch {
    return otherwise; // the thread is gone
  } finally {
    over.abort();
  }
}
