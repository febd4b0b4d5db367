/** How long a wrong secret takes says nothing about the right one. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { createSecretMatch } from "../../../src/http/call/bearer.ts";

const SAMPLES = 20_000;
/** Calls in one sample: a single one is shorter than the clock's tick. */
const CALLS = 40;
/** Above this, a difference is no chance (dudect). */
const MAX_T = 4.5;
/** Samples that something else on the machine has made longer. */
const CUT = 0.1;

const SECRET = randomBytes(32).toString("base64url");
/** Both are made in the same way each time, so that the texts differ in nothing but their characters. */
const NEAR = Buffer.from(SECRET.slice(0, -1) + (SECRET.endsWith("A") ? "B" : "A"));
const wrong = {
  near: () => madeOf(NEAR),
  far: () => madeOf(Buffer.from(randomBytes(32).toString("base64url"))),
};

function madeOf(characters: Buffer): string {
  randomBytes(32);
  return Buffer.from(characters).toString("latin1");
}

function sample(matches: (given: string) => boolean, given: string): number {
  const start = process.hrtime.bigint();
  for (let call = 0; call < CALLS; call += 1) matches(given);
  return Number(process.hrtime.bigint() - start);
}

/** Welch's t, after the longest samples were cut. */
function welch(a: readonly number[], b: readonly number[]): number {
  const [one, other] = [a, b].map((all) => {
    const kept = all.toSorted((x, y) => x - y).slice(0, Math.floor(all.length * (1 - CUT)));
    const mean = kept.reduce((sum, x) => sum + x, 0) / kept.length;
    const variance = kept.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (kept.length - 1);
    return { mean, share: variance / kept.length };
  });
  if (one === undefined || other === undefined) return Number.NaN;
  return (one.mean - other.mean) / Math.sqrt(one.share + other.share);
}

test(`a secret that is almost right takes as long as any other, by ${SAMPLES} samples each`, () => {
  const matches = createSecretMatch(SECRET);
  const times: { near: number[]; far: number[] } = { near: [], far: [] };
  for (let round = 0; round < 2_000; round += 1) sample(matches, wrong.far());
  for (let round = 0; round < 2 * SAMPLES; round += 1) {
    const kind = Math.random() < 0.5 ? "near" : "far";
    times[kind].push(sample(matches, wrong[kind]()));
  }
  const t = welch(times.near, times.far);
  process.stdout.write(`secret timing: t = ${t.toFixed(2)}\n`);
  expect(Math.abs(t)).toBeLessThan(MAX_T);
});
