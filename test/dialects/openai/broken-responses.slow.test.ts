/** A stream of /v1/responses that we have to end, or that the database can't follow. */
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { deadline, openStream } from "../../support/http.ts";
import type { Behaviour } from "../../support/upstream.ts";
import { bearer, MODEL, startTokenScene, type TokenScene } from "./support.ts";

const WAIT_MS = 10_000;
const event = (type: string, sequence_number: number, more: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number, ...more })}\n\n`;
const delta = (sequence: number) =>
  event("response.output_text.delta", sequence, { item_id: "m", delta: "Half an" });
const begun = [event("response.created", 0, { response: { id: "r" } }), delta(1), delta(2)];
const done = event("response.completed", 3, { response: { id: "r", status: "completed" } });

/** The rest comes when the promise resolves. */
const halfway = (rest: Promise<string>): Behaviour => ({
  name: "half a response",
  run: async ({ response, write }) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const piece of begun) await write(piece);
    response.end(await rest);
  },
});
const never = new Promise<string>(() => {});

async function open({ parley, token }: TokenScene) {
  const body = { model: MODEL, input: "x", stream: true };
  const headers = bearer(token);
  const { status, events } = await openStream(`${parley.origin}/v1/responses`, body, { headers });
  expect(status).toBe(200);
  const reader = events[Symbol.asyncIterator]();
  const next = await deadline(Promise.resolve(reader.next()), WAIT_MS, "the first event");
  const rest = { [Symbol.asyncIterator]: () => reader };
  return async () => {
    const others = await deadline(Array.fromAsync(rest), WAIT_MS, "the end");
    return [String(next.value), ...others].map((data): unknown => JSON.parse(data));
  };
}

const ended = (code: string) => [
  { type: "response.created" },
  { sequence_number: 1 },
  { sequence_number: 2 },
  { type: "error", code, message: expect.any(String), param: null, sequence_number: 3 },
];

test("ends in its own form when the service falls silent", async () => {
  const scene = await startTokenScene(
    { UPSTREAM_IDLE_SECONDS: "1" },
    { behaviour: halfway(never) },
  );
  const read = await open(scene);
  expect(await read()).toMatchObject(ended("upstream_timeout"));
  expect(scene.rows()).toMatchObject([{ outcome: "interrupted", error: "upstream_timeout" }]);
});

test("ends in its own form when the server stops", async () => {
  const scene = await startTokenScene({}, { behaviour: halfway(never) });
  const read = await open(scene);
  const { openCalls } = scene.parley.parley;
  const idle = openCalls.drain();
  openCalls.abortAll();
  expect(await read()).toMatchObject(ended("draining"));
  await deadline(idle, WAIT_MS, "idle");
  expect(scene.rows()).toMatchObject([{ outcome: "interrupted", error: "draining" }]);
});

test("ends as the service's does while the database is locked", async () => {
  const rest = Promise.withResolvers<string>();
  const scene = await startTokenScene({}, { behaviour: halfway(rest.promise) });
  const read = await open(scene);
  const holder = new DatabaseSync(`${scene.parley.config.DATA_DIR}/parley.sqlite`);
  onTestFinished(() => holder.close());
  holder.exec("BEGIN EXCLUSIVE");
  rest.resolve(done);
  expect(await read()).toMatchObject([{}, {}, {}, { type: "response.completed" }]);
  holder.exec("COMMIT");
});
