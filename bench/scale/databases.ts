import type { Assumptions } from "./assumptions.ts";
import { type Events, runSteps, type Step } from "./events.ts";
import type { Worker } from "./machines.ts";

/** What a copy does with the database: the steps of one call, in this order. */
export interface CopysDatabase {
  findToken(): Step;
  reserve(): Step;
  end(): Step;
}

/** A failed try for the lock. Microseconds. */
const TRY_US = 4;

/** A file: its work is the copy's own, and only one copy writes at a time. */
export function createFile(
  events: Events,
  { lockUs, lockPauseUs }: Pick<Assumptions, "lockUs" | "lockPauseUs">,
): (copy: Worker) => CopysDatabase {
  let holder: Worker | null = null;
  return (copy) => {
    const write: Step = (done) => {
      let locked = false;
      const begin = () => {
        locked = holder === null || holder === copy;
        if (!locked) return TRY_US;
        holder = copy;
        return lockUs / 2;
      };
      copy.work(begin)(() => {
        if (!locked) return events.after(lockPauseUs, () => write(done));
        holder = null;
        done();
      });
    };
    return { findToken: () => (done) => done(), reserve: () => write, end: () => write };
  };
}

/** As reserve.ts and settle.ts have them: flows of one transaction at a time each, and their batches. */
const RESERVE = { flows: 4, maxBatch: 8, roundTrips: 4 };
const END = { flows: 1, maxBatch: 64, roundTrips: 5 };

/** A server: sessions of all copies share its cores. */
export function createServer(
  events: Events,
  assumed: Pick<Assumptions, "databaseUs" | "commitUs" | "networkUs">,
  session: () => Worker,
): () => CopysDatabase {
  const partUs = assumed.databaseUs / 3;
  const createFlow = (maxBatch: number, roundTrips: number) => {
    const worker = session();
    let waiting: (() => void)[] = [];
    let isBusy = false;
    const drain = function* (): Generator<Step, void, void> {
      while (waiting.length > 0) {
        const batch = waiting.slice(0, maxBatch);
        waiting = waiting.slice(maxBatch);
        const trips = batch.length === 1 && roundTrips === RESERVE.roundTrips ? 1 : roundTrips;
        yield (goOn) => events.after(2 * assumed.networkUs * trips + assumed.commitUs, goOn);
        yield worker.work(partUs * batch.length);
        for (const done of batch) done();
      }
      isBusy = false;
    };
    return (done: () => void) => {
      waiting.push(done);
      if (isBusy) return;
      isBusy = true;
      // what comes in the same moment goes together
      events.after(0, () => runSteps(drain()));
    };
  };
  const flowsOf = ({ flows, maxBatch, roundTrips }: typeof RESERVE) => {
    const all = Array.from({ length: flows }, () => createFlow(maxBatch, roundTrips));
    let calls = 0;
    return (): Step => {
      calls += 1;
      const flow = all[calls % flows];
      return (done) => flow?.(done);
    };
  };
  return () => {
    const reader = session();
    return {
      findToken: () => (done) =>
        reader.work(partUs)(() => events.after(2 * assumed.networkUs, done)),
      reserve: flowsOf(RESERVE),
      end: flowsOf(END),
    };
  };
}
