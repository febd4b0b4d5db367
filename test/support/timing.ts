/** Bounds on time are ratios to something else in the same run, as machines differ and are shared. */
import { expect } from "vitest";
import { postJson } from "./http.ts";

const ROUNDS = 5;
/** A hang-up takes about one such call; what waits for a timer takes hundreds. */
const MAX_NEIGHBOR_CALLS = 20;

/** How many times as long `work` takes as `neighbor`, by the quickest of five rounds each. */
export function timeRatio(
  work: (round: number) => void,
  neighbor: (round: number) => void,
): number {
  const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] as [number, number];
  for (let round = 0; round < ROUNDS; round += 1) {
    least[0] = Math.min(
      least[0],
      timeOf(() => work(round)),
    );
    least[1] = Math.min(
      least[1],
      timeOf(() => neighbor(round)),
    );
  }
  return least[0] / least[1];
}

/** Milliseconds that a call of /healthz takes, connection included. */
export async function neighborCall(origin: string): Promise<number> {
  const startedMs = performance.now();
  await postJson(`${origin}/healthz`, undefined, { method: "GET" });
  return performance.now() - startedMs;
}

/** Of a hundred hang-ups 99 reach the upstream about as soon as a caller gets an answer. */
export function expectPrompt(name: string, tookMs: number[], neighborsMs: number[]): void {
  const [took, neighbors] = [tookMs, neighborsMs].map((all) => all.toSorted((a, b) => a - b));
  const at = (share: number, sorted: readonly number[] = []) =>
    sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  const shown = [took, neighbors].map(
    (all) => `${at(0.5, all).toFixed(1)}/${at(0.99, all).toFixed(1)}`,
  );
  process.stdout.write(`hang-up, ${name}: p50/p99 ${shown[0]} ms, other calls ${shown[1]} ms\n`);
  expect(at(0.99, took)).toBeLessThan(MAX_NEIGHBOR_CALLS * at(0.99, neighbors));
}

function timeOf(work: () => void): number {
  const startedMs = performance.now();
  work();
  return performance.now() - startedMs;
}
