import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Caller, createCaller } from "../load.ts";
import { issueToken, startParley } from "../parley.ts";
import { readRssMb } from "../proc.ts";
import type { Processes, Running } from "../processes.ts";
import { type BenchRequest, chatRequest, MODEL, streamRequest } from "../requests.ts";
import { createDatabase, type Services, type Store } from "./services.ts";

/** How many copies share what. */
export interface Layout {
  readonly copies: number;
  readonly database: "sqlite" | "postgres";
  /** Whether they count in a shared store; one copy may do without. */
  readonly counts: "shared" | "alone";
}

export interface Installation {
  readonly layout: Layout;
  readonly copies: readonly Running[];
  readonly store: Store | null;
  /** Of each copy, before the first call. */
  readonly restMb: readonly number[];
  /** Goes round all copies and tokens. Whole answers, and streams. */
  readonly whole: Caller;
  readonly streamed: Caller;
}

export interface Needs {
  readonly processes: Processes;
  readonly services: Services;
  readonly upstreamOrigin: string;
  /** Of a PostgreSQL server; null where the copies share a file. */
  readonly databaseUrl: string | null;
  /** A folder for what the copies share. */
  readonly folder: string;
}

/** Calls are spread over so many tokens: one alone would wait for its own row in the database. */
const TOKENS = 8;
const REST_MS = 2_000;
const CONNECTIONS = 512;

export async function openInstallation(layout: Layout, needs: Needs): Promise<Installation> {
  const { processes, services, upstreamOrigin, databaseUrl, folder } = needs;
  const shared = mkdtempSync(join(folder, "shared-"));
  const store = layout.counts === "shared" ? await services.startStore() : null;
  const name = `bench_${layout.counts}_${layout.copies}`;
  const settings = {
    DATA_DIR: shared,
    ...(store === null ? {} : { REDIS_URL: store.url }),
    ...(databaseUrl === null ? {} : { DATABASE_URL: await createDatabase(databaseUrl, name) }),
  };
  const copies: Running[] = [];
  for (let copy = 0; copy < layout.copies; copy++) {
    copies.push(await startParley(processes, upstreamOrigin, settings));
  }
  const [first] = copies;
  if (first === undefined) throw new RangeError("an installation has a copy");
  await sleep(REST_MS);
  const restMb = copies.map(({ pid }) => readRssMb(pid));
  const tokens: string[] = [];
  for (let token = 0; token < TOKENS; token++) tokens.push(await issueToken(first.origin, MODEL));
  const callersOf = (request: (bearer: string) => BenchRequest) =>
    inTurns(
      tokens.flatMap((token) =>
        copies.map(({ origin }) => createCaller(origin, request(token), CONNECTIONS)),
      ),
    );
  const whole = callersOf(chatRequest);
  const streamed = callersOf(streamRequest);
  return { layout, copies, store, restMb, whole, streamed };
}

export function nameOf({ copies, database, counts }: Layout): string {
  const store = counts === "shared" ? "" : ", no store";
  return `${database}, ${copies} ${copies === 1 ? "copy" : "copies"}${store}`;
}

/** One caller after the other. */
export function inTurns(callers: readonly Caller[]): Caller {
  let calls = 0;
  return {
    call() {
      const caller = callers[calls % callers.length];
      calls += 1;
      if (caller === undefined) throw new RangeError("there is nobody to call");
      return caller.call();
    },
    close: async () => void (await Promise.all(callers.map((caller) => caller.close()))),
  };
}
