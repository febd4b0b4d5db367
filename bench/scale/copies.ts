import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Caller, keepBusy, keepPace } from "../load.ts";
import { readCpuMs, readRssMb } from "../proc.ts";
import type { Processes, Running } from "../processes.ts";
import { CALLS_PER_SECOND, type Plan } from "../rounds.ts";
import { type CopiesLine, type Measured, summarize } from "./copies-report.ts";
import { type Installation, type Layout, nameOf, openInstallation } from "./installation.ts";
import { createServices, type Services } from "./services.ts";

/** What all installations of a database share. */
interface Around {
  readonly server: Awaited<ReturnType<Services["startDatabase"]>> | null;
  readonly upstream: Running;
}

const CONNECTIONS = 64;
/** Each takes a second, so that many are needed to keep copies busy. */
const STREAMS = 300;
const SETTLE_SECONDS = 0.2;
const US_PER_MS = 1_000;

/**
 * One installation after the other, and per database all of them in turns: more copies, and the same
 * copy without a store.
 */
export async function measureCopies(
  counts: readonly number[],
  plan: Plan,
  upstream: Running,
  processes: Processes,
  say: (text: string) => void,
): Promise<CopiesLine[]> {
  const services = createServices();
  const folder = mkdtempSync(join(tmpdir(), "parley-copies-"));
  const lines: CopiesLine[] = [];
  try {
    for (const database of ["sqlite", "postgres"] as const) {
      say(`${database}: ${counts.join(", ")} copies, ${plan.rounds} rounds of ${plan.seconds} s …`);
      const server = database === "sqlite" ? null : await services.startDatabase();
      const layouts: readonly Layout[] = [
        { copies: 1, database, counts: "alone" },
        ...counts.map((copies) => ({ copies, database, counts: "shared" as const })),
      ];
      const opened: Installation[] = [];
      const databaseUrl = server?.url ?? null;
      const upstreamOrigin = upstream.origin;
      const needs = { processes, services, upstreamOrigin, databaseUrl, folder };
      for (const layout of layouts) opened.push(await openInstallation(layout, needs));
      lines.push(...summarize(await inRounds(opened, { server, upstream }, plan)));
      for (const one of opened) await close(one);
    }
    return lines;
  } finally {
    await processes.stopAll();
    services.stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function inRounds(
  installations: readonly Installation[],
  around: Around,
  plan: Plan,
): Promise<readonly Measured[]> {
  const all = installations.map((installation) => ({ installation, rounds: [] as Round[] }));
  for (const { whole, streamed } of installations) {
    await keepBusy(whole, CONNECTIONS, plan.warmUpSeconds);
    await keepBusy(streamed, STREAMS, plan.warmUpSeconds / 2);
  }
  for (let round = 0; round < plan.rounds; round++) {
    // There and back, so that a drift of the machine favours nobody.
    for (const one of round % 2 === 0 ? all : all.toReversed()) {
      one.rounds.push(await measureRound(one.installation, around, plan));
    }
  }
  return await Promise.all(
    all.map(async ({ installation: { layout, copies, restMb, store }, rounds }) => ({
      name: nameOf(layout),
      layout,
      rounds,
      restMb,
      loadMb: copies.map(({ pid }) => readRssMb(pid)),
      bucketBytes: (await store?.figures())?.bucketBytes ?? 0,
    })),
  );
}

type Round = Measured["rounds"][number];

async function measureRound(
  installation: Installation,
  around: Around,
  plan: Plan,
): Promise<Round> {
  const { whole, streamed } = installation;
  const busy = (caller: Caller, connections: number) => () =>
    keepBusy(caller, connections, plan.seconds);
  await keepBusy(whole, CONNECTIONS, SETTLE_SECONDS);
  const calls = await metered(installation, around, busy(whole, CONNECTIONS));
  const streams = await metered(installation, around, busy(streamed, STREAMS));
  const paced = await keepPace(whole, CALLS_PER_SECOND, plan.calls / CALLS_PER_SECOND);
  return { calls, streams, latenciesMs: paced.latenciesMs };
}

/** What everybody spent while the load ran. */
async function metered(
  { copies, store }: Installation,
  { server, upstream }: Around,
  load: () => ReturnType<typeof keepBusy>,
): Promise<Round["calls"]> {
  const read = async () => ({
    copiesUs: copies.map(({ pid }) => readCpuMs(pid) * US_PER_MS),
    storeUs: (store?.cpuMs() ?? 0) * US_PER_MS,
    databaseUs: (server?.cpuMs() ?? 0) * US_PER_MS,
    upstreamUs: readCpuMs(upstream.pid) * US_PER_MS,
    callerUs: ownCpuUs(),
    script: (await store?.figures()) ?? { scripts: 0, scriptUs: 0 },
  });
  const before = await read();
  const startMs = performance.now();
  const tally = await load();
  const seconds = (performance.now() - startMs) / 1_000;
  const after = await read();
  return {
    ...tally,
    seconds,
    copiesUs: after.copiesUs.map((us, copy) => us - (before.copiesUs[copy] ?? 0)),
    storeUs: after.storeUs - before.storeUs,
    databaseUs: after.databaseUs - before.databaseUs,
    upstreamUs: after.upstreamUs - before.upstreamUs,
    callerUs: after.callerUs - before.callerUs,
    scripts: after.script.scripts - before.script.scripts,
    scriptUs: after.script.scriptUs - before.script.scriptUs,
  };
}

function ownCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function close({ copies, whole, streamed }: Installation): Promise<void> {
  await Promise.all([whole.close(), streamed.close()]);
  await Promise.all(copies.map((copy) => copy.stop()));
}
