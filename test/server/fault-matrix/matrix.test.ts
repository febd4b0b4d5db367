/** Every fault of the upstream on every surface: what callers, rows, keys and limits show of it. */
import { expect, test } from "vitest";
import { expectCells } from "./expected.ts";
import { allFaults } from "./faults.ts";
import { httpSurfaces } from "./http-surfaces.ts";
import type { Mode } from "./run-cells.ts";
import { socketSurfaces } from "./socket-surfaces.ts";
import { expectNoSecretOnStages } from "./stage.ts";

const all = [...httpSurfaces, ...socketSurfaces];
/** Each dialect and each transport once; the deep ring has all surfaces in each mode. */
const LEFT_OUT = [
  "envelope, SSE",
  "chats, JSON",
  "ask, SSE",
  "completion, SSE",
  "/v1/responses, JSON",
];
const most = all.filter(({ name }) => !LEFT_OUT.includes(name));
/** One of each transport. */
const few = all.filter(({ name }) =>
  ["envelope, JSON", "/v1/chat, SSE", "WebSocket, parley.v1", "gRPC"].includes(name),
);

const modes: readonly (Mode & { readonly mode: string })[] = [
  { mode: "token, no retries", caller: "token", retries: 0, surfaces: most },
  { mode: "token, retries", caller: "token", retries: 2, surfaces: few },
];

const rows = allFaults.flatMap((fault) => modes.map((mode) => ({ fault, ...mode })));

test.concurrent.each(rows)("$fault.does.name ($mode)", ({ fault, ...mode }) =>
  expectCells(fault, mode),
);

test("nothing that the operator or the caller may read has a secret", expectNoSecretOnStages);

test("there are enough of them", () => {
  expect(allFaults.length).toBeGreaterThanOrEqual(45);
});
