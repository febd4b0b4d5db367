import type { Lane } from "./lanes.ts";
import {
  type Caller,
  createCaller,
  keepBusy,
  keepPace,
  type Tally,
  type TimedTally,
} from "./load.ts";
import { readCpuMs } from "./proc.ts";

export interface CpuRound extends Tally {
  readonly cpuMs: number;
  readonly seconds: number;
}

/** By scenario name, one entry a round. */
export type Rounds<T> = ReadonlyMap<string, readonly T[]>;

export interface Plan {
  readonly rounds: number;
  readonly latencyRounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Calls of a latency round. */
  readonly calls: number;
}

export const CALLS_PER_SECOND = 200;
// Connections idle since the last round may have been closed; opening them again is not measured.
const SETTLE_SECONDS = 0.2;
// An open loop opens connections as it needs them; a second of unanswered calls is far below this.
const OPEN_LOOP_CONNECTIONS = 1_024;

/** CPU of the gateways' processes with every connection busy. */
export async function measureCpu(lanes: readonly Lane[], plan: Plan): Promise<Rounds<CpuRound>> {
  const gateways = lanes.filter((lane) => lane.pid !== null);
  return await inRounds(
    gateways,
    plan.rounds,
    ({ scenario }) => scenario.connections,
    (caller, { scenario }) => keepBusy(caller, scenario.connections, plan.warmUpSeconds),
    async (caller, lane) => {
      const { connections } = lane.scenario;
      await keepBusy(caller, connections, SETTLE_SECONDS);
      const startMs = performance.now();
      const beforeMs = cpuOf(lane);
      const tally = await keepBusy(caller, connections, plan.seconds);
      const seconds = (performance.now() - startMs) / 1_000;
      return { ...tally, cpuMs: cpuOf(lane) - beforeMs, seconds };
    },
  );
}

/** Time to the first byte of the answer at a rate that leaves every candidate mostly idle. */
export async function measureLatency(
  lanes: readonly Lane[],
  plan: Plan,
): Promise<Rounds<TimedTally>> {
  return await inRounds(
    lanes.filter(({ scenario }) => scenario.timed),
    plan.latencyRounds,
    () => OPEN_LOOP_CONNECTIONS,
    (caller) => keepPace(caller, CALLS_PER_SECOND, Math.min(1, plan.warmUpSeconds)),
    async (caller) => {
      await keepPace(caller, CALLS_PER_SECOND, SETTLE_SECONDS);
      return await keepPace(caller, CALLS_PER_SECOND, plan.calls / CALLS_PER_SECOND);
    },
  );
}

async function inRounds<T>(
  lanes: readonly Lane[],
  rounds: number,
  connections: (lane: Lane) => number,
  warmUp: (caller: Caller, lane: Lane) => Promise<unknown>,
  measure: (caller: Caller, lane: Lane) => Promise<T>,
): Promise<Rounds<T>> {
  const runs = lanes.map((lane) => ({
    lane,
    caller: createCaller(lane.origin, lane.request, connections(lane)),
    measured: [] as T[],
  }));
  try {
    for (const { caller, lane } of runs) await warmUp(caller, lane);
    for (let round = 0; round < rounds; round++) {
      // There and back, so that a drift of the machine favours nobody.
      const order = round % 2 === 0 ? runs : runs.toReversed();
      for (const { caller, lane, measured } of order) measured.push(await measure(caller, lane));
    }
  } finally {
    await Promise.all(runs.map(({ caller }) => caller.close()));
  }
  return new Map(runs.map(({ lane, measured }) => [lane.scenario.name, measured]));
}

function cpuOf({ pid, scenario }: Lane): number {
  if (pid === null) return 0;
  try {
    return readCpuMs(pid);
  } catch (cause) {
    throw new Error(`"${scenario.name}" ended while it was measured`, { cause });
  }
}
