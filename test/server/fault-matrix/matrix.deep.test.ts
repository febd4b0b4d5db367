/** The matrix with every surface in each mode, and the faults that are large. */
import { describe, expect, test } from "vitest";
import { endlessLine, endlessStream, gzipBomb, hugeBody } from "../../support/faults.ts";
import { expectCells } from "./expected.ts";
import { allFaults, type Fault } from "./faults.ts";
import { httpSurfaces } from "./http-surfaces.ts";
import { socketSurfaces } from "./socket-surfaces.ts";
import { expectNoSecretOnStages } from "./stage.ts";

const MB = 1_000_000;
const surfaces = [...httpSurfaces, ...socketSurfaces];

describe("every surface", () => {
  const modes = [
    { mode: "token, no retries", caller: "token", retries: 0 },
    { mode: "token, retries", caller: "token", retries: 2 },
    { mode: "own key", caller: "own key", retries: 0 },
    { mode: "own key, retries", caller: "own key", retries: 2 },
  ] as const;
  const rows = allFaults.flatMap((fault) => modes.map((mode) => ({ fault, ...mode })));
  test.concurrent.each(rows)("$fault.does.name ($mode)", ({ fault, ...mode }) =>
    expectCells(fault, { ...mode, surfaces }),
  );
});

const ends = "upstream_bad_answer";
const large: readonly Fault[] = [
  {
    does: hugeBody(100 * MB),
    ends: { whole: ends, bytes: `cut ${ends}`, "stream of bytes": `cut ${ends}` },
  },
  { does: gzipBomb(300 * MB), ends },
  { does: gzipBomb(300 * MB, 2), ends },
  { does: endlessLine(200 * MB), ends, only: "whole" },
  { does: endlessLine(200 * MB), ends, only: "typed" },
  {
    does: endlessStream(200 * MB),
    ends: `then ${ends}`,
    only: "typed",
    says: "a".repeat(2 * MB),
  },
];

/** An answer may be held up to MAX_ANSWER_BYTES and takes that twice; the rest is the stand-in's. */
const MOST_MORE = 160 * MB;

test.each(large)("$does.name", async (fault) => {
  const before = process.memoryUsage().rss;
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 10);
  await expectCells(fault, { caller: "token", retries: 0, surfaces });
  clearInterval(timer);
  expect(most - before).toBeLessThan(MOST_MORE);
});

test("nothing that the operator or the caller may read has a secret", expectNoSecretOnStages);
