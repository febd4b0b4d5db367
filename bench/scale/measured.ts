import { fileURLToPath } from "node:url";
import { type Results, readResults } from "../results.ts";
import type { Assumptions } from "./assumptions.ts";
import type { CopiesLine } from "./copies-report.ts";
import { type Outcome, simulate } from "./simulate.ts";

const FILE = fileURLToPath(new URL("../results/copies.json", import.meta.url));

/** What `npm run bench -- --copies --json bench/results/copies.json` found last. */
export function readCopies(): Results {
  return readResults(FILE);
}

/** Copies with a shared store. */
export function lineOf(
  { copies = [] }: Results,
  database: CopiesLine["layout"]["database"],
  count: number,
): CopiesLine {
  const found = copies.find(
    ({ layout }) =>
      layout.database === database && layout.copies === count && layout.counts === "shared",
  );
  if (found === undefined) throw new Error(`${FILE} has no line of ${count} copies on ${database}`);
  return found;
}

/** CPU as one copy was measured with its stores. Nothing here comes from a run with more copies. */
export function assumptionsFrom(one: CopiesLine, network: "loopback" | "network"): Assumptions {
  const isLocal = network === "loopback";
  return {
    copyUs: one.usPerCall,
    scriptUs: one.storeUs / one.scriptsPerCall,
    awaitedScripts: 2,
    // none of whole answers; a stream's lease and its end
    otherScripts: isLocal ? 0 : 2,
    databaseUs: one.databaseUs,
    // the bench's PostgreSQL does not wait for its disk
    commitUs: isLocal ? 0 : 1_000,
    databaseCores: 8,
    lockUs: 40,
    lockPauseUs: 10_000,
    networkUs: isLocal ? 10 : 250,
    upstreamUs: 1_000_000,
  };
}

/**
 * The share of the machine's cores that a run had: less than 1 where others were at work beside it, and
 * then everything took longer by that.
 */
export function shareOf(line: CopiesLine, cores: number): number {
  const { usPerCall, storeUs, databaseUs, upstreamUs, callerUs, callsPerSecond } = line;
  const usedUs = (usPerCall + storeUs + databaseUs + upstreamUs + callerUs) * callsPerSecond;
  return Math.min(1, usedUs / 1_000_000 / cores);
}

/** The benchmark itself: so many copies, load generator and upstream on a share of a machine's cores. */
export function simulateBench(
  one: CopiesLine,
  {
    copies,
    cores,
    share,
  }: { readonly copies: number; readonly cores: number; readonly share: number },
): Outcome {
  const assumed = assumptionsFrom(one, "loopback");
  return simulate(
    {
      ...assumed,
      copyUs: assumed.copyUs / share,
      scriptUs: assumed.scriptUs / share,
      databaseUs: assumed.databaseUs / share,
      lockUs: assumed.lockUs / share,
    },
    {
      copies,
      database: one.layout.database,
      stores: 1,
      load: {
        connections: 64,
        cores,
        callerUs: one.callerUs / share,
        upstreamUs: one.upstreamUs / share,
      },
      seconds: 2,
      seed: 1,
    },
  );
}
