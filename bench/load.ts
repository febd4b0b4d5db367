import { setTimeout as sleep } from "node:timers/promises";
import { type Dispatcher, Pool } from "undici";
import type { BenchRequest } from "./requests.ts";

export interface Tally {
  completed: number;
  errors: number;
  firstError: string | null;
}

export interface TimedTally extends Tally {
  /** From the moment a call was due to the first byte of its answer's body, in ms. */
  readonly latenciesMs: number[];
}

export interface Caller {
  readonly call: () => Promise<CallResult>;
  readonly close: () => Promise<void>;
}

type CallResult = { readonly firstByteAtMs: number } | { readonly problem: string };

// A candidate that hangs must end the run, not hold it.
const ANSWER_TIMEOUT_MS = 10_000;
// Past this a round says nothing, and a candidate that refuses at once would be asked in a tight loop.
const ERRORS_MAX = 1_000;
// Timers fire up to a millisecond late, five times the latency looked for; the rest is spun away.
const SPIN_MS = 1;

export function createCaller(
  origin: string,
  request: BenchRequest,
  connections: number,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Caller {
  const pool = new Pool(origin, {
    connections,
    pipelining: 1,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  const { path, paths = 1, headers, body } = request;
  let calls = 0;
  const next = (): Dispatcher.DispatchOptions => {
    calls += 1;
    return { method: "POST", headers, body, path: path.replace("{n}", String(calls % paths)) };
  };
  return {
    call: () => new Promise((resolve) => pool.dispatch(next(), answerReader(resolve))),
    close: () => pool.destroy(),
  };
}

/** Closed loop: every connection asks again as soon as it was answered. Ends with none in flight. */
export async function keepBusy(
  caller: Caller,
  connections: number,
  seconds: number,
): Promise<Tally> {
  const tally: Tally = { completed: 0, errors: 0, firstError: null };
  const endMs = performance.now() + seconds * 1_000;
  const askInTurn = async () => {
    while (performance.now() < endMs && tally.errors < ERRORS_MAX)
      count(tally, await caller.call());
  };
  await Promise.all(Array.from({ length: connections }, askInTurn));
  return tally;
}

/**
 * Open loop: calls leave on a fixed schedule whether or not earlier ones were answered, and are
 * timed from when they were due. A stall so counts for every call it held up, not for one.
 */
export async function keepPace(
  caller: Caller,
  perSecond: number,
  seconds: number,
): Promise<TimedTally> {
  const tally: TimedTally = { completed: 0, errors: 0, firstError: null, latenciesMs: [] };
  const total = Math.round(perSecond * seconds);
  const startMs = performance.now() + 5;
  const pending: Promise<void>[] = [];
  for (let sent = 0; sent < total && tally.errors < ERRORS_MAX; sent++) {
    const dueMs = startMs + (sent * 1_000) / perSecond;
    await until(dueMs);
    pending.push(caller.call().then((result) => timed(tally, result, dueMs)));
  }
  await Promise.all(pending);
  return tally;
}

function timed(tally: TimedTally, result: CallResult, dueMs: number): void {
  count(tally, result);
  if ("firstByteAtMs" in result) tally.latenciesMs.push(result.firstByteAtMs - dueMs);
}

function count(tally: Tally, result: CallResult): void {
  if ("firstByteAtMs" in result) tally.completed++;
  else {
    tally.errors++;
    tally.firstError ??= result.problem;
  }
}

/** Resolves at that moment of performance.now(), within microseconds. */
export async function until(dueMs: number): Promise<void> {
  const idleMs = dueMs - SPIN_MS - performance.now();
  if (idleMs > 0) await sleep(idleMs);
  // Turns of the event loop, not a blocking wait: answers go on being read.
  while (performance.now() < dueMs) await new Promise((resolve) => setImmediate(resolve));
}

/** An answer counts when it is a 200 with a body that was read to its end. */
function answerReader(done: (result: CallResult) => void): Dispatcher.DispatchHandler {
  let status = 0;
  let firstByteAtMs = 0;
  return {
    onRequestStart() {
      // undici tells the newer form of handler by this method.
    },
    onResponseStart(_controller, statusCode) {
      status = statusCode;
    },
    onResponseData() {
      if (firstByteAtMs === 0) firstByteAtMs = performance.now();
    },
    onResponseEnd() {
      if (status !== 200) done({ problem: `status ${status}` });
      else if (firstByteAtMs === 0) done({ problem: "empty body" });
      else done({ firstByteAtMs });
    },
    onResponseError(_controller, error) {
      done({ problem: error.message });
    },
  };
}
