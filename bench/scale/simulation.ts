import { aligned } from "../report.ts";
import type { Assumptions } from "./assumptions.ts";
import { assumptionsFrom, lineOf, readCopies } from "./measured.ts";
import { type Outcome, type Setup, simulate } from "./simulate.ts";

/** Where copies of one installation end: `node bench/scale/simulation.ts`, a minute at most. */
const SEED = 1;
const SECONDS = 1;

const measured = assumptionsFrom(lineOf(readCopies(), "postgres", 1), "network");
const assumed = { ...measured, ...valuesOf(process.argv.slice(2)) };
const usual = { database: "postgres", seconds: SECONDS, seed: SEED, stores: 1 } as const;
/** Calls a second of each copy: less than a third of what it could carry. */
const perCopy = 200;
/** What one store carries: its core, full. */
const perStore = 1_000_000 / (assumed.scriptUs * (assumed.awaitedScripts + assumed.otherScripts));

say(`Taken for given: ${JSON.stringify(assumed)}`);
say(`\n1. More copies, each at ${perCopy} calls a second\n`);
table(
  [1, 2, 4, 8, 16, 32, 64, 100].map((copies) => ({
    ...usual,
    copies,
    load: { callsPerSecond: copies * perCopy },
  })),
);
say(`\n2. 100 copies and one store, whose core is full at ${perStore.toFixed(0)} calls a second\n`);
table(
  [0.2, 0.5, 0.8, 0.9, 1, 1.1, 1.5].map((share) => ({
    ...usual,
    copies: 100,
    load: { callsPerSecond: share * perStore },
  })),
);
say("\n3. 100 copies at 1.5 times that, buckets spread over several stores\n");
table(
  [1, 2, 3, 4, 8].map((stores) => ({
    ...usual,
    stores,
    copies: 100,
    load: { callsPerSecond: 1.5 * perStore },
  })),
);

function table(setups: readonly Setup[]): void {
  const head = [
    ...[
      "copies",
      "stores",
      "asked/s",
      "answered/s",
      "copy",
      "store",
      "database",
      "decision p99 ms",
    ],
    ...["alone", "times away", "added p50 ms", "p99 ms"],
  ];
  const rows = setups.map((setup) => rowOf(setup, simulate(assumed, setup)));
  say(aligned([head, ...rows]));
}

function rowOf({ copies, stores, load }: Setup, found: Outcome): readonly string[] {
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
  return [
    String(copies),
    String(stores),
    "callsPerSecond" in load ? load.callsPerSecond.toFixed(0) : "–",
    found.callsPerSecond.toFixed(0),
    percent(found.copyLoad),
    percent(found.storeLoad),
    percent(found.databaseLoad),
    found.decisionP99Ms.toFixed(1),
    percent(found.aloneShare),
    String(found.timesAway),
    found.addedP50Ms.toFixed(1),
    found.addedP99Ms.toFixed(1),
  ];
}

/** `name=number`, each in place of what was measured. */
function valuesOf(words: readonly string[]): Partial<Assumptions> {
  const pairs = words
    .map((word) => word.split("="))
    .map(([name = "", value]) => [name, Number(value)]);
  for (const [name, value] of pairs) {
    if (String(name) in measured && Number.isFinite(value)) continue;
    throw new Error(`name=number, with one of ${Object.keys(measured).join(", ")}`);
  }
  return Object.fromEntries(pairs);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
