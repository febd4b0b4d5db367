/** One row a call, whatever became of it, and never one that says more than is known. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createDisconnectPolicy } from "../../../src/core/call/disconnect-policy.ts";
import {
  finMidStream,
  refuse,
  stallAfterHeaders,
  stallMidStream,
  usageMissing,
} from "../../support/faults.ts";
import { type OpenStream, openStream, postJson } from "../../support/http.ts";
import { createHeldClock } from "../../support/parley.ts";
import { startProcess, until } from "../../support/process.ts";
import { OPERATOR_KEY, OWN_KEY } from "../../support/scene.ts";
import {
  type Behaviour,
  composeAnswer,
  createAnswer,
  goodHeaders,
  wantsStream,
} from "../../support/upstream.ts";
import {
  ADMIN_ENV,
  admin,
  bearer,
  issue,
  MODEL,
  question,
  type Row,
  rowsIn,
  setPrice,
  startAlone,
  startTokenScene,
  type TokenScene,
  WAIT_MS,
} from "./support.ts";

const streamed = { ...question, stream: true };
/** The prompt's and the echo's characters, as the scripted upstream counts. */
const prompt = "Hello?".length;
const written = "echo: Hello?".length;
/** In picodollars, of which a million tokens at a dollar have a million each. */
const cost = prompt * 150_000 + written * 600_000;
const known = {
  dialect: "openai",
  model: MODEL,
  answered_by: MODEL,
  prompt_tokens: prompt,
  completion_tokens: written,
  total_tokens: prompt + written,
  cost,
  provenance: "reported",
  outcome: "completed",
  error: null,
  on_disconnect: "cancel",
};
const unknown = {
  prompt_tokens: null,
  completion_tokens: null,
  total_tokens: null,
  cost: null,
  provenance: "unknown",
};

/** What a call without reported usage comes to. */
const estimated = {
  prompt_tokens: expect.toSatisfy((tokens: number) => tokens > 0),
  total_tokens: expect.toSatisfy((tokens: number) => tokens > 0),
  cost: expect.toSatisfy((picodollars: number) => picodollars > 0),
  provenance: "estimated",
};

const audioWithPriority: Behaviour = {
  name: "audio, with priority",
  run({ request, response }) {
    const usage = {
      ...{ prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
      prompt_tokens_details: { audio_tokens: 30 },
    };
    const text = JSON.stringify({ model: MODEL, choices: [], usage, service_tier: "priority" });
    const isStream = wantsStream(request);
    const type = isStream ? "text/event-stream" : "application/json";
    response.writeHead(200, goodHeaders(request, type));
    response.end(isStream ? `data: ${text}\n\ndata: [DONE]\n\n` : text);
  },
};

describe.concurrent("the row of a call", () => {
  test("that was answered has what it came to", async () => {
    const scene = await startTokenScene();
    const reply = await scene.ask();
    const [row, ...others] = scene.rows();
    expect(row).toMatchObject({
      ...known,
      request_id: reply.headers["x-request-id"],
      payer_kind: "token",
      token_id: scene.id,
      key_digest: null,
      upstream_id: "chatcmpl-1",
    });
    expect(row?.duration_ms).toBeGreaterThanOrEqual(0);
    expect(others).toEqual([]);
  });

  test.each([
    ["that did not ask for usage", {}],
    ["that asked for usage", { stream_options: { include_usage: true } }],
  ])("of a stream %s has it too", async (_name, options) => {
    const scene = await startTokenScene();
    await scene.ask({ ...streamed, ...options });
    expect(scene.rows()).toMatchObject([{ ...known, upstream_id: "chatcmpl-1" }]);
    expect(scene.rows()[0]?.first_token_ms).toBeGreaterThanOrEqual(0);
  });

  test.each([
    ["an answer", question],
    ["a stream", streamed],
  ])("of %s shows what had a price of its own", async (_name, body) => {
    const scene = await startTokenScene({}, { behaviour: audioWithPriority });
    const prices = { input: "0.15", output: "0.6", audio_input: "40", priority_output: "1" };
    await admin(scene.parley.origin, "PUT", `/prices/${MODEL}`, prices);
    await scene.ask(body);
    const price = "0.15,0.15,1,tier=priority,audio_input=40*30";
    const cost = 70 * 150_000 + 30 * 40_000_000 + 10 * 1_000_000;
    expect(scene.rows()).toMatchObject([{ price, cost }]);
  });

  test.each([
    ["an answer", question],
    ["a stream", streamed],
  ])("of %s without usage has an estimate, never nothing", async (_name, body) => {
    const scene = await startTokenScene({}, { behaviour: usageMissing });
    expect((await scene.ask(body)).status).toBe(200);
    expect(scene.rows()).toMatchObject([
      { ...estimated, outcome: "completed", answered_by: MODEL },
    ]);
  });

  test("whose client left mid-stream is canceled, and so is the upstream", async () => {
    const scene = await startTokenScene({}, { behaviour: stallMidStream });
    await leaveMidStream(scene);
    await scene.upstream.waitFor(() => scene.upstream.closedEarly.count === 1, {
      label: "the upstream is closed",
      timeoutMs: WAIT_MS,
    });
    const row = await firstRow(scene);
    expect(row).toMatchObject({ ...estimated, outcome: "canceled", answered_by: MODEL });
    expect(row.upstream_id).toBe("chatcmpl-1");
  });

  test("whose client left before the first byte is canceled", async () => {
    const scene = await startTokenScene({}, { behaviour: stallAfterHeaders });
    const gone = new AbortController();
    const asked = scene.ask(question, { signal: gone.signal }).catch(() => undefined);
    await scene.upstream.waitFor(() => scene.upstream.open() === 1, {
      label: "the upstream is asked",
      timeoutMs: WAIT_MS,
    });
    gone.abort();
    await asked;
    expect(await firstRow(scene)).toMatchObject({ ...estimated, outcome: "canceled" });
  });

  test("that the upstream broke off is interrupted", async () => {
    const scene = await startTokenScene({}, { behaviour: finMidStream });
    await scene.ask(streamed);
    expect(scene.rows()).toMatchObject([
      { ...estimated, outcome: "interrupted", error: "upstream_failed" },
    ]);
  });

  test("that the upstream refused says why, and costs nothing", async () => {
    const scene = await startTokenScene({}, { behaviour: refuse(500) });
    await scene.ask();
    await scene.ask(streamed);
    const failed = { ...unknown, outcome: "failed", error: "upstream_failed", answered_by: null };
    expect(scene.rows()).toMatchObject([failed, failed]);
  });

  test("of an own key and a model without a price has usage and no cost, and no key", async () => {
    const scene = await startTokenScene();
    const body = { ...question, model: "gpt-unpriced" };
    expect((await scene.ask(body, { headers: bearer(OWN_KEY) })).status).toBe(200);
    const [row] = scene.rows();
    expect(row).toMatchObject({
      payer_kind: "own-key",
      token_id: null,
      prompt_tokens: prompt,
      cost: null,
      provenance: "reported",
    });
    expect(row?.key_digest).toMatch(/^\S{20,}$/);
    expect(JSON.stringify(row)).not.toContain(OWN_KEY);
  });

  test("is priced by the model that answered", async () => {
    const snapshot = `${MODEL}-2024-07-18`;
    const scene = await startTokenScene({}, { behaviour: answerAs(snapshot) });
    await scene.ask();
    await scene.ask(streamed);
    const row = { model: MODEL, answered_by: snapshot, cost };
    expect(scene.rows()).toMatchObject([row, row]);
  });

  test("that the upstream counts as nothing costs nothing, and is no estimate", async () => {
    const behaviour = createAnswer({ tokens: { prompt: 0, completion: 0 } });
    const scene = await startTokenScene({}, { behaviour });
    await scene.ask();
    await scene.ask(streamed);
    const row = { total_tokens: 0, cost: 0, provenance: "reported" };
    expect(scene.rows()).toMatchObject([row, row]);
  });

  test.each([
    ["NUL", "a\0b"],
    ["signs that move a terminal's cursor", "\u001b[2Jgone"],
    ["half a character", "\ud800"],
    ["300 KB", "m".repeat(300_000)],
  ])("is there although its model's name has %s", async (_name, model) => {
    const scene = await startTokenScene();
    const body = { ...question, model };
    const { status } = await scene.ask(body, { headers: bearer(OWN_KEY) });
    expect(status).toBeLessThan(500);
    if (status === 200) expect(scene.rows()).toHaveLength(1);
    for (const line of scene.parley.log) expect(() => JSON.parse(line)).not.toThrow();
  });

  test("holds nothing of what was said", async () => {
    const scene = await startTokenScene();
    const messages = [{ role: "user", content: "the secret of the sphinx" }];
    await scene.ask({ ...question, messages });
    await scene.ask({ ...streamed, messages });
    const kept = JSON.stringify([scene.rows(), scene.parley.log]);
    expect(kept).not.toContain("sphinx");
    expect(kept).not.toContain(OPERATOR_KEY);
  });
});

describe.concurrent("with ON_DISCONNECT=drain:5 an answer is read on when its client has left", () => {
  test("and the row has the usage, and says that the client left", async () => {
    const gate = Promise.withResolvers<void>();
    const env = { ON_DISCONNECT: "drain:5" };
    const scene = await startTokenScene(env, { behaviour: waitInside(gate.promise) });
    await leaveMidStream(scene);
    await scene.parley.logged('"status":499');
    gate.resolve();
    expect(await firstRow(scene)).toMatchObject({
      ...known,
      outcome: "canceled",
      on_disconnect: "drain:5",
    });
    expect(scene.upstream.closedEarly.count).toBe(0);
  });

  test("unless it left before anything was asked", () => {
    const disconnectPolicy = createDisconnectPolicy(5_000, createHeldClock());
    expect(disconnectPolicy.signalFor(AbortSignal.abort()).aborted).toBe(true);
    expect(disconnectPolicy.signalFor(new AbortController().signal).aborted).toBe(false);
  });

  test("but not for ever", async () => {
    const env = { ON_DISCONNECT: "drain:1" };
    const scene = await startTokenScene(env, { behaviour: stallMidStream });
    await leaveMidStream(scene);
    expect(await firstRow(scene)).toMatchObject({ ...estimated, outcome: "canceled" });
    await scene.upstream.waitFor(() => scene.upstream.closedEarly.count === 1, {
      label: "the upstream is closed",
      timeoutMs: WAIT_MS,
    });
  });
});

test("the row is in the database before the last byte is at the client", async () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-row-"));
  const upstream = await startAlone();
  const env = { ...ADMIN_ENV, OPENAI_URL: upstream.url, API_KEY: OPERATOR_KEY, DATA_DIR: folder };
  const server = await startProcess(env);
  onTestFinished(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await setPrice(server.url, MODEL);
  const headers = bearer((await issue(server.url, { requests_per_day: 1_000 })).token);
  const url = `${server.url}/v1/chat/completions`;
  for (let calls = 1; calls <= 20; calls += 1) {
    if (calls % 2 === 0) await postJson(url, question, { headers });
    else await readToDone(await openStream(url, streamed, { headers }));
    expect(rowsIn(folder)).toHaveLength(calls);
    expect(rowsIn(folder).at(-1)).toMatchObject(known);
  }
});

async function readToDone({ events }: OpenStream): Promise<void> {
  for await (const event of events) if (event === "[DONE]") return;
  throw new Error("the stream had no [DONE]");
}

async function leaveMidStream(scene: TokenScene): Promise<void> {
  const stream = await openStream(scene.chat, streamed, { headers: bearer(scene.token) });
  for await (const event of stream.events) {
    expect(event).toContain("chat.completion.chunk");
    stream.hangUp();
  }
}

async function firstRow(scene: TokenScene): Promise<Row> {
  const label = "the row is written";
  await until(() => scene.rows().length > 0, { label, timeoutMs: WAIT_MS });
  const [row] = scene.rows();
  if (row === undefined) throw new Error(label);
  return row;
}

/** More than one read from a socket, so that what follows comes apart from what was before. */
const FILLER = `: ${"x".repeat(300_000)}\n\n`;

/** The good stream, stopped after its first piece of text until the gate opens. */
const waitInside = (gate: Promise<void>): Behaviour => ({
  name: "wait inside",
  run: async ({ request, response, write }) => {
    const { events } = composeAnswer(request);
    response.writeHead(200, goodHeaders(request, "text/event-stream"));
    for (const event of events.slice(0, 2)) await write(event);
    await gate;
    for (const event of [FILLER, ...events.slice(2)]) await write(event);
    response.end();
  },
});

const answerAs = (model: string): Behaviour => ({
  name: `answer as ${model}`,
  run: ({ request, response }) => {
    const { json, events } = composeAnswer(request);
    const streams = wantsStream(request);
    const type = streams ? "text/event-stream" : "application/json";
    const text = streams ? events.join("") : JSON.stringify(json);
    response.writeHead(200, goodHeaders(request, type));
    response.end(text.replaceAll(`"model":"${MODEL}"`, `"model":"${model}"`));
  },
});
