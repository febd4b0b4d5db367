/** Every fault of the upstream on every surface: what callers, rows, keys and limits show of it. */
import { expect, test } from "vitest";
import { expectCells } from "./expected.ts";
import { allFaults } from "./faults.ts";
import { httpSurfaces } from "./http-surfaces.ts";
import type { Mode } from "./run-cells.ts";
import { socketSurfaces } from "./socket-surfaces.ts";
import { expectNoSecretOnStages } from "./stage.ts";

const all = [...httpSurfaces, ...socketSurfaces];
/** One of each transport; the deep ring has all of them in each mode. */
const few = all.filter(({ name }) =>
  ["envelope, JSON", "/v1/chat, SSE", "WebSocket, parley.v1", "gRPC"].includes(name),
);

const modes: readonly (Mode & { readonly mode: string })[] = [
  { mode: "token, no retries", caller: "token", retries: 0, surfaces: all },
  { mode: "token, retries", caller: "token", retries: 2, surfaces: few },
  { mode: "own key", caller: "own key", retries: 0, surfaces: few },
];

const rows = allFaults.flatMap((fault) => modes.map((mode) => ({ fault, ...mode })));

test.concurrent.each(rows)("$fault.does.name ($mode)", ({ fault, ...mode }) =>
  expectCells(fault, mode),
);

test("nothing that the operator or the caller may read has a secret", expectNoSecretOnStages);

test("there are enough of them", () => {
  expect(allFaults.length).toBeGreaterThanOrEqual(45);
});
