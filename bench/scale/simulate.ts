import { percentile } from "../statistics.ts";
import type { Assumptions } from "./assumptions.ts";
import { createFile, createServer } from "./databases.ts";
import { createDeciding, type Decisions } from "./deciding.ts";
import { createEvents, createRandom, type Events, runSteps, type Step } from "./events.ts";
import { createMachine, type Worker } from "./machines.ts";

/** Copies, what they share, and who calls them. */
export interface Setup {
  readonly copies: number;
  readonly database: "sqlite" | "postgres";
  /** Buckets are spread over so many; 0: each copy counts by itself. */
  readonly stores: number;
  readonly load: Closed | Open;
  readonly seconds: number;
  readonly seed: number;
}

/** As the benchmark does it: connections that ask again at once, and everything on one machine. */
interface Closed {
  readonly connections: number;
  readonly cores: number;
  /** What the load generator and the upstream use, a call. Microseconds. */
  readonly callerUs: number;
  readonly upstreamUs: number;
}

/** Calls that come by chance; each copy and each store has a core to itself. */
interface Open {
  readonly callsPerSecond: number;
}

export interface Outcome {
  readonly callsPerSecond: number;
  /** Of the time between asking and answering, without the upstream's. */
  readonly addedP50Ms: number;
  readonly addedP99Ms: number;
  /** Of a core: the fullest store. */
  readonly storeLoad: number;
  readonly databaseLoad: number;
  readonly copyLoad: number;
  readonly decisionP99Ms: number;
  /** Share of decisions that copies made by themselves. */
  readonly aloneShare: number;
  readonly timesAway: number;
}

/** What happens before is not counted: queues fill first. */
const WARM_UP_SECONDS = 1.5;
const US_PER_SECOND = 1_000_000;
/** Pieces of a copy's work on a call, between what it waits for. */
const PIECES = 4;

export function simulate(assumed: Assumptions, setup: Setup): Outcome {
  const events = createEvents();
  const random = createRandom(setup.seed);
  const { copies, load, seconds } = setup;
  const decisions: Decisions = { shared: 0, alone: 0, tookUs: [], timesAway: 0 };
  const built = build(assumed, setup, events, random, decisions);
  const addedUs: number[] = [];
  const call = (at: number) =>
    steps(
      assumed,
      built.all[at % copies],
      { random, answer: built.answer, now: events.now },
      (us) => addedUs.push(us),
    );
  if ("cores" in load) callAgainAndAgain(load, built.place(), call);
  else callByChance(events, load.callsPerSecond, random, call);

  events.runUntil(WARM_UP_SECONDS * US_PER_SECOND);
  const before = built.usedSeconds();
  addedUs.length = 0;
  Object.assign(decisions, { shared: 0, alone: 0, timesAway: 0 });
  decisions.tookUs.length = 0;
  events.runUntil((WARM_UP_SECONDS + seconds) * US_PER_SECOND);
  const after = built.usedSeconds();
  const fullest = (then: readonly number[], now: readonly number[]) =>
    Math.max(0, ...now.map((used, at) => (used - (then[at] ?? 0)) / seconds));
  const asked = decisions.shared + decisions.alone;
  return {
    callsPerSecond: addedUs.length / seconds,
    addedP50Ms: percentile(addedUs, 0.5) / 1_000,
    addedP99Ms: percentile(addedUs, 0.99) / 1_000,
    storeLoad: fullest(before.stores, after.stores),
    databaseLoad: (after.database - before.database) / seconds / assumed.databaseCores,
    copyLoad: fullest(before.copies, after.copies),
    decisionP99Ms: percentile(decisions.tookUs, 0.99) / 1_000,
    aloneShare: asked === 0 ? 0 : decisions.alone / asked,
    timesAway: decisions.timesAway,
  };
}

function build(
  assumed: Assumptions,
  { copies, database, stores, load }: Setup,
  events: Events,
  random: () => number,
  decisions: Decisions,
) {
  const machine = "cores" in load ? createMachine(events, load.cores) : null;
  const place = () => (machine ?? createMachine(events, 1))();
  const sessions: Worker[] = [];
  const server = machine ?? createMachine(events, assumed.databaseCores);
  const openSession = () => {
    const session = server();
    sessions.push(session);
    return session;
  };
  const openDatabase =
    database === "sqlite"
      ? createFile(events, assumed)
      : createServer(events, assumed, openSession);
  const storeWorkers = Array.from({ length: stores }, place);
  const all = Array.from({ length: copies }, (): Copy => {
    const worker = place();
    const decidings = storeWorkers.map((store) =>
      createDeciding(events, store, assumed, random, decisions),
    );
    return { worker, database: openDatabase(worker), decidings };
  });
  const answer: Step =
    "cores" in load
      ? place().work(load.upstreamUs)
      : (goOn) => events.after(assumed.upstreamUs, goOn);
  const secondsOf = (workers: readonly Worker[]) =>
    workers.map((worker) => worker.usedUs() / US_PER_SECOND);
  const usedSeconds = () => ({
    stores: secondsOf(storeWorkers),
    copies: secondsOf(all.map(({ worker }) => worker)),
    database: secondsOf(sessions).reduce((sum, used) => sum + used, 0),
  });
  return { all, answer, place, usedSeconds };
}

interface Copy {
  readonly worker: Worker;
  readonly database: ReturnType<ReturnType<typeof createServer>>;
  readonly decidings: readonly ReturnType<typeof createDeciding>[];
}

interface World {
  readonly random: () => number;
  readonly now: () => number;
  /** The upstream's. */
  readonly answer: Step;
}

/** One call on its way through a copy; its address and its token may be in different stores. */
function* steps(
  assumed: Assumptions,
  copy: Copy | undefined,
  { random, answer, now }: World,
  onEnd: (addedUs: number) => void,
): Generator<Step, void, void> {
  if (copy === undefined) return;
  const { worker, database, decidings } = copy;
  const startedUs = now();
  const pieceUs = assumed.copyUs / PIECES;
  const anyStore = () => decidings[Math.floor(random() * decidings.length)];
  yield worker.work(pieceUs);
  yield database.findToken();
  for (let script = 0; script < assumed.awaitedScripts; script++) {
    const deciding = anyStore();
    if (deciding !== undefined) yield deciding.decide();
    yield worker.work(pieceUs / assumed.awaitedScripts);
  }
  yield database.reserve();
  yield worker.work(pieceUs);
  const askedUs = now();
  yield answer;
  const waitedUs = now() - askedUs;
  // a share of calls have them
  if (random() < assumed.otherScripts % 1) anyStore()?.send();
  for (let script = 1; script <= assumed.otherScripts; script++) anyStore()?.send();
  yield worker.work(pieceUs);
  yield database.end();
  onEnd(now() - startedUs - waitedUs);
}

function callAgainAndAgain(
  { connections, callerUs }: Closed,
  caller: Worker,
  call: (at: number) => Generator<Step, void, void>,
): void {
  const connection = function* (at: number): Generator<Step, void, void> {
    for (let turn = at; ; turn += connections) {
      yield caller.work(callerUs);
      yield* call(turn);
    }
  };
  for (let at = 0; at < connections; at++) runSteps(connection(at));
}

function callByChance(
  events: Events,
  callsPerSecond: number,
  random: () => number,
  call: (at: number) => Generator<Step, void, void>,
): void {
  const next = () => {
    runSteps(call(Math.floor(random() * 2 ** 30)));
    events.after((-Math.log(1 - random()) * US_PER_SECOND) / callsPerSecond, next);
  };
  next();
}
