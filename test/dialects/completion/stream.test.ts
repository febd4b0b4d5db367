import { describe, expect, test } from "vitest";
import {
  badJsonEvent,
  canary,
  closeMidStream,
  commentsInStream,
  crlfStream,
  cutInsideEvent,
  endlessLine,
  errorEventMidStream,
  finMidStream,
  html200,
  jsonWhereSseAsked,
  refuse,
  resetMidStream,
  splitEveryByte,
  stallMidStream,
} from "../../support/faults.ts";
import { deadline, openStream } from "../../support/http.ts";
import { until } from "../../support/process.ts";
import { type Behaviour, composeAnswer, goodHeaders } from "../../support/upstream.ts";
import { rowsIn, sendPieces, tell } from "../openai/support.ts";
import {
  type CompletionScene,
  complete,
  completeInVain,
  completeStream,
  OWN,
  startCompletion,
} from "./support.ts";

const WAIT_MS = 5_000;
const question = { prompt: "¿$5 – 你好 👋🏽, why?" };
const answered = `echo: ${question.prompt}`;
const streamed = { ...question, generate_params: { stream: true } };

const wholeObject: Behaviour = {
  name: "an object that is no completion",
  run: ({ request, response }) => {
    response.writeHead(200, goodHeaders(request, "application/json")).end('{"id":"x"}');
  },
};

async function rowOf({ parley }: CompletionScene) {
  const rows = () => rowsIn(parley.config.DATA_DIR);
  await until(() => rows().length > 0, { label: "the row is written", timeoutMs: WAIT_MS });
  return rows()[0];
}

describe.concurrent("a stream", () => {
  test("is the upstream's chunks, each with its text and a status, and [DONE]", async () => {
    const scene = await startCompletion();
    const { head, chunks, text, done } = await completeStream(scene.at, question);
    expect(head.status).toBe(200);
    expect(head.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(head.headers["x-accel-buffering"]).toBe("no");
    expect(done).toBe(true);
    expect(text).toBe(answered);
    const [request] = scene.upstream.requests;
    if (request === undefined) throw new Error("nothing was asked");
    const sent = composeAnswer({
      ...request,
      json: { ...streamed.generate_params, ...Object(request.json), stream_options: null },
    }).events;
    const plain = chunks.map(({ text: _text, status: _status, ...chunk }) => chunk);
    const parsed = sent.slice(0, -1).map((event): unknown => JSON.parse(event.slice(6)));
    expect(plain).toEqual(parsed);
    for (const { text: piece, choices } of chunks) {
      expect(piece).toBe(choices[0]?.delta.content ?? "");
    }
  });

  test("asks the upstream for usage, which the client sees only if it asked too", async () => {
    const scene = await startCompletion();
    const hidden = await completeStream(scene.at, question);
    expect(hidden.chunks.every((chunk) => !("usage" in chunk))).toBe(true);
    expect(await rowOf(scene)).toMatchObject({
      dialect: "completion",
      outcome: "completed",
      provenance: "reported",
      completion_tokens: answered.length,
    });
    const generate_params = { stream_options: { include_usage: true, include_obfuscation: false } };
    const shown = await completeStream(scene.at, { ...question, generate_params });
    expect(shown.chunks.at(-1)).toMatchObject({ choices: [], usage: {}, text: "", status: "ok" });
    expect(
      scene.upstream.requests.map(({ json }) => Reflect.get(Object(json), "stream_options")),
    ).toEqual([{ include_usage: true }, generate_params.stream_options]);
  });

  test.each([splitEveryByte, crlfStream, commentsInStream])(
    "that comes as $name is put together",
    async (behaviour) => {
      const { at } = await startCompletion({}, { behaviour });
      const { text, done } = await completeStream(at, question);
      expect([text, done]).toEqual([answered, true]);
    },
  );

  test("follows the first of several answers in text", async () => {
    const events = [0, 1, 0, 1].map((index, at) => ({
      object: "chat.completion.chunk",
      choices: [{ index, delta: { content: `${index}${at} ` } }],
    }));
    const { at } = await startCompletion({}, { behaviour: tell({}, events) });
    expect((await completeStream(at, question)).text).toBe("00 02 ");
  });

  test("keeps numbers that JavaScript cannot count to", async () => {
    const event =
      'data: {"created":900719925474099312345,"choices":[{"delta":{"content":"x"}}]}\n\n';
    const behaviour = sendPieces([event, "data: [DONE]\n\n"]);
    const { at } = await startCompletion({}, { behaviour });
    const stream = await openStream(at, streamed);
    expect(await stream.text()).toContain('{"created":900719925474099312345,');
  });

  test("is over for its client when the answer is, however long its connection stays open", async () => {
    const behaviour: Behaviour = {
      name: "open after [DONE]",
      run: async ({ request, response, write }) => {
        response.writeHead(200, goodHeaders(request, "text/event-stream"));
        for (const event of composeAnswer(request).events) await write(event);
      },
    };
    const scene = await startCompletion({}, { behaviour });
    const reading = completeStream(scene.at, question);
    const { text, done } = await deadline(reading, WAIT_MS, "the end of the answer");
    expect([text, done]).toEqual([answered, true]);
    expect(await rowOf(scene)).toMatchObject({ outcome: "completed", provenance: "reported" });
  });

  test("that an upstream answers with a whole object is one chunk", async () => {
    const { at } = await startCompletion({}, { behaviour: jsonWhereSseAsked });
    const { chunks, text, done } = await completeStream(at, question);
    expect([chunks.length, text, done]).toEqual([1, answered, true]);
    expect(chunks[0]).toMatchObject({
      choices: [{ index: 0, delta: { content: answered }, finish_reason: "stop" }],
    });
    expect(chunks[0]?.choices[0]).not.toHaveProperty("message");
  });
});

describe.concurrent("what fails before the first byte has its status", () => {
  test.each([
    ["refuse 500", refuse(500), "upstream_failed"],
    ["200 html", html200, "upstream_bad_answer"],
    ["an object that is no completion", wholeObject, "upstream_bad_answer"],
  ])("%s", async (_name, behaviour, code) => {
    const { at } = await startCompletion({}, { behaviour });
    const refusal = await completeInVain(at, streamed);
    expect([refusal.reply.status, refusal.code]).toEqual([502, code]);
  });

  test("one stream too many", async () => {
    const { at, upstream } = await startCompletion(
      { STREAM_LIMIT: "1" },
      { behaviour: stallMidStream },
    );
    const open = await openStream(at, streamed);
    const refusal = await completeInVain(at, streamed);
    expect([refusal.reply.status, refusal.code]).toEqual([429, "streams_limited"]);
    open.hangUp();
    await upstream.waitFor(() => upstream.open() === 0, { label: "closed", timeoutMs: WAIT_MS });
  });
});

describe.concurrent("a stream that breaks ends in an error and has no [DONE]", () => {
  const faults: [Behaviour, string][] = [
    [resetMidStream, "upstream_failed"],
    [closeMidStream, "upstream_failed"],
    [finMidStream, "upstream_failed"],
    [cutInsideEvent, "upstream_failed"],
    [errorEventMidStream, "upstream_failed"],
    [badJsonEvent, "upstream_bad_answer"],
  ];
  test.each(faults)("$name", async (behaviour, code) => {
    const scene = await startCompletion({ LANG: "ru" }, { behaviour });
    const { head, done, failure, text } = await completeStream(scene.at, question);
    expect(done).toBe(false);
    expect(failure).toMatchObject({ status: "error", code });
    expect(failure?.text).toMatch(/[а-я]{5}/);
    expect(answered.startsWith(text) && text !== "").toBe(true);
    expect(JSON.stringify([failure, head.headers])).not.toContain(canary);
    expect(await rowOf(scene)).toMatchObject({ outcome: "interrupted", error: code });
    await scene.upstream.waitFor(() => scene.upstream.open() === 0, {
      label: "the upstream is closed",
      timeoutMs: WAIT_MS,
    });
  });

  test("an event that has no end", async () => {
    const env = { MAX_EVENT_BYTES: "10000" };
    const scene = await startCompletion(env, { behaviour: endlessLine(10_000_000) });
    const { failure, done } = await completeStream(scene.at, question);
    expect([failure?.code, done]).toEqual(["upstream_bad_answer", false]);
    expect(await rowOf(scene)).toMatchObject({ outcome: "interrupted" });
    await scene.upstream.waitFor(() => scene.upstream.open() === 0, {
      label: "the upstream is closed",
      timeoutMs: WAIT_MS,
    });
  });
});

describe.concurrent("a client that leaves", () => {
  test("in the middle of a stream closes the upstream, and the row says so", async () => {
    const scene = await startCompletion({}, { behaviour: stallMidStream });
    const stream = await openStream(scene.at, streamed, { headers: OWN });
    for await (const event of stream.events) {
      expect(event).toContain("chat.completion.chunk");
      stream.hangUp();
    }
    await scene.upstream.waitFor(() => scene.upstream.closedEarly.count === 1, {
      label: "the upstream is closed",
      timeoutMs: WAIT_MS,
    });
    expect(await rowOf(scene)).toMatchObject({ outcome: "canceled", dialect: "completion" });
    expect(scene.parley.parley.openCalls.count).toBe(0);
  });

  test("before a whole answer does the same", async () => {
    const behaviour: Behaviour = { name: "silent", run: () => undefined };
    const scene = await startCompletion({}, { behaviour });
    const gone = new AbortController();
    const asked = complete(scene.at, question, { signal: gone.signal }).catch(() => undefined);
    await scene.upstream.waitFor(() => scene.upstream.open() === 1, {
      label: "the upstream is asked",
      timeoutMs: WAIT_MS,
    });
    gone.abort();
    await asked;
    expect(await rowOf(scene)).toMatchObject({ outcome: "canceled" });
    expect(scene.upstream.closedEarly.count).toBe(1);
  });
});

test("a whole answer has a row of its dialect, and nothing of what was said", async () => {
  const scene = await startCompletion();
  await complete(scene.at, { prompt: "the riddle of the sphinx" }, { headers: OWN });
  const row = await rowOf(scene);
  expect(row).toMatchObject({
    dialect: "completion",
    payer_kind: "own-key",
    model: "gpt-4o-mini",
    provenance: "reported",
    outcome: "completed",
  });
  expect(JSON.stringify([row, scene.parley.log])).not.toContain("sphinx");
});
