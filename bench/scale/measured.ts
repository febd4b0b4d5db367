import { fileURLToPath } from "node:url";
import { type Results, readResults } from "../results.ts";
import type { Assumptions } from "./assumptions.ts";
import type { CopiesLine } from "./copies-report.ts";
import type { Setup } from "./simulate.ts";

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

/** The benchmark itself: so many copies, load generator and upstream on the cores of one machine. */
export function benchSetup(one: CopiesLine, copies: number, cores: number): Setup {
  const { upstreamUs, callerUs } = one;
  return {
    copies,
    database: one.layout.database,
    stores: 1,
    load: { connections: 64, cores, callerUs, upstreamUs },
    seconds: 1,
    seed: 1,
  };
}
