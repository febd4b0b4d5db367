/** Asks on every surface while the upstream does wrong, and again while it is well. */
import { expect } from "vitest";
import type { Row } from "../../dialects/openai/support.ts";
import { answer } from "../../support/upstream.ts";
import type { Fault } from "./faults.ts";
import { httpSurfaces } from "./http-surfaces.ts";
import { expectNoSecret, operatorKeys } from "./secrets.ts";
import { type Stage, withStage } from "./stage.ts";
import { answered, type Surface, type Told } from "./surface.ts";

export interface Mode {
  readonly caller: "token" | "own key";
  readonly retries: number;
  readonly surfaces: readonly Surface[];
}

/** By the name of the surface, in few words, so that a difference can be read at once. */
export type Cells = Readonly<Record<string, string>>;

export const operatorKeyCount = operatorKeys.length;

const [quickest] = httpSurfaces;

/** A deadline is checked ten times a second. */
const EARLY_MS = 110;
const GRACE_MS = 500;
const SAMPLE_MS = 20;

export function runCells(fault: Fault, mode: Mode): Promise<Cells> {
  const { caller, retries, surfaces } = mode;
  const isSlow = fault.waitMs !== undefined;
  const where = fault.away === undefined ? {} : { away: fault.away };
  return withStage({ caller, retries, isSlow, ...where }, async (stage) => {
    // so that every fault meets a connection that had served
    if (fault.away === undefined) await stateOfKeys(stage, [], caller);
    // those that wait do so together
    const groups = isSlow ? [surfaces] : surfaces.map((one) => [one]);
    const cells: Record<string, string> = {};
    for (const group of groups) Object.assign(cells, await runGroup(stage, fault, group, mode));
    return cells;
  });
}

async function runGroup(
  stage: Stage,
  fault: Fault,
  group: readonly Surface[],
  { caller, retries }: Mode,
): Promise<Cells> {
  stage.behave(fault.does);
  const told = await Promise.all(group.map((one) => askTimed(stage, fault, one, retries)));
  const rows = stage.newRows();
  expect(rows).toHaveLength(group.length);
  const sent = stage.newKeys().length / group.length;
  await nothingOpen(stage);
  const keys = fault.away === undefined ? await stateOfKeys(stage, group, caller) : "away";
  expectNoSecret(stage.newLog() + JSON.stringify(rows), "what is kept");
  const cells = group.map((surface, at) => {
    const one = told[at] ?? expect.fail("nobody asked");
    const row = rowOf(one, rows, told) ?? expect.fail(`no row of ${surface.name}`);
    const begins = (fault.says ?? answered).startsWith(one.text);
    expect(begins, `${surface.name} says ${one.text.slice(0, 100)}`).toBe(true);
    return [surface.name, [showTold(one), showRow(row), `${sent} sent`, keys].join(" | ")];
  });
  return Object.fromEntries(cells);
}

async function askTimed(
  { who }: Stage,
  fault: Fault,
  surface: Surface,
  retries: number,
): Promise<Told> {
  const { waitMs, bytesMayTell = false } = fault;
  const startedMs = performance.now();
  const busy = countBusyMs();
  const told = await surface.ask(who);
  const busyMs = busy();
  const tookMs = performance.now() - startedMs;
  const isBytes = surface.kind.includes("bytes") || /^(completion|\/v1)/.test(surface.name);
  if (!(bytesMayTell && isBytes)) expectNoSecret(told.raw, surface.name);
  if (waitMs !== undefined) {
    const tries = fault.passes === true ? 1 + retries : 1;
    expect(tookMs, surface.name).toBeGreaterThan(tries * (waitMs - EARLY_MS));
    expect(tookMs, surface.name).toBeLessThan(tries * (waitMs + GRACE_MS) + busyMs);
  }
  return told;
}

/** Counts for how long the thread had other work than to fire a timer: that is the machine's own doing. */
function countBusyMs(): () => number {
  let busyMs = 0;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    busyMs += Math.max(0, nowMs - lastMs - SAMPLE_MS);
    lastMs = nowMs;
  }, SAMPLE_MS);
  return () => {
    clearInterval(timer);
    return busyMs;
  };
}

function nothingOpen({ upstream }: Stage): Promise<void> {
  return upstream.waitFor(() => upstream.open() === 0, { label: "none open", timeoutMs: 2_000 });
}

/** While both keys are ready they take turns; after both were turned down, the one that works again is used. */
async function stateOfKeys(stage: Stage, group: readonly Surface[], caller: Mode["caller"]) {
  stage.behave(answer);
  const all = caller === "token" ? [group[0] ?? quickest, quickest] : [group[0] ?? quickest];
  for (const surface of all) {
    const good = await surface?.ask(stage.who);
    expect(good?.how, "the next good call").toMatch(/answer$/);
    expect(good?.text).toBe(answered);
  }
  const used = new Set(stage.newKeys());
  stage.newRows();
  const areReady = caller === "own key" || used.size === operatorKeyCount;
  expect(await stage.counted(), "counted by the limits").toBe(group.length + all.length);
  if (!areReady) await stage.rest();
  return areReady ? "keys ready" : "keys rest";
}

/** By its id; older frames have none. */
function rowOf(one: Told, rows: readonly Row[], all: readonly Told[]): Row | undefined {
  if (one.requestId !== null) return rows.find(({ request_id: id }) => id === one.requestId);
  return rows.find(({ request_id: id }) => all.every(({ requestId }) => requestId !== id));
}

function showTold({ how, text, retryAfter }: Told): string {
  const said = /^(200 )?answer$/.test(how) && text !== answered ? ` "${text}"` : "";
  return `${how}${said}${retryAfter === null ? "" : `, again in ${retryAfter} s`}`;
}

function showRow(row: Row): string {
  const { outcome, error, provenance, cost, prompt_tokens, completion_tokens, total_tokens } = row;
  if (total_tokens !== null)
    expect(total_tokens).toBe(Number(prompt_tokens) + Number(completion_tokens));
  const paid = cost === null || cost === 0 ? "free" : "charged";
  return [outcome, error, provenance, paid].filter((part) => part !== null).join(" ");
}
