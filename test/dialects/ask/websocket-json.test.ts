import { describe, expect, test } from "vitest";
import { paced, refuse, silent, stallMidStream } from "../../support/faults.ts";
import { OWN_KEY, startScene } from "../../support/scene.ts";
import { answer, createAnswer } from "../../support/upstream.ts";
import { connect, type WebSocketClient } from "../../support/websocket.ts";

const protocol = "parley.v1";

interface Answered {
  readonly text: string;
  readonly end: Record<string, unknown>;
}

/** The answer to one question; frames of others are an error. */
async function answerTo(client: WebSocketClient, id: string): Promise<Answered> {
  let text = "";
  for (;;) {
    const frame = await client.nextJson(`the answer to ${id}`);
    expect(frame.id).toBe(id);
    if (frame.type !== "delta") return { text, end: frame };
    text += String(frame.text);
  }
}

const ask = (id: string, prompt: string, more: object = {}) => ({
  type: "ask",
  id,
  prompt,
  ...more,
});

describe.concurrent("parley.v1", () => {
  test("an answer comes in deltas and ends with the whole turn", async () => {
    const { parley } = await startScene();
    const client = await connect(`${parley.origin}/ask?page=1`, { protocol });
    expect(client.ws.protocol).toBe(protocol);
    expect(client.headers["x-request-id"]).toMatch(/./);
    client.send(ask("q1", "one two", { model: "gpt-4o", max_tokens: 50 }));
    const { text, end } = await answerTo(client, "q1");
    expect(text).toBe("echo: one two");
    expect(end).toEqual({
      type: "end",
      id: "q1",
      message: "echo: one two",
      conversation_id: expect.stringMatching(/./),
      parent_id: expect.stringMatching(/./),
      model: "gpt-4o",
      usage: { prompt_tokens: 7, completion_tokens: 13, total_tokens: 20 },
      finish_reason: "stop",
      omitted: 0,
      request_id: expect.stringMatching(/./),
    });
    client.send(ask("q1", "three", { ...pick(end, "conversation_id", "parent_id") }));
    expect((await answerTo(client, "q1")).end).toMatchObject({
      type: "end",
      message: "echo: three",
      conversation_id: end.conversation_id,
    });
  });

  test("another subprotocol than ours is not taken: text frames are spoken", async () => {
    const { parley } = await startScene();
    const offered = await fetch(`${parley.origin}/ask`).then((reply) => reply.status);
    expect(offered).toBe(426);
    const failed = connect(`${parley.origin}/ask`, { protocol: "graphql-ws" });
    await expect(failed).rejects.toThrow("Server sent no subprotocol");
  });

  test("branches from one answer are asked side by side", async () => {
    const { parley, upstream } = await startScene();
    const client = await connect(`${parley.origin}/ask`, { protocol });
    client.send(ask("root", "root"));
    const { end } = await answerTo(client, "root");
    const place = pick(end, "conversation_id", "parent_id");
    const ids = ["a", "b", "c", "d"];
    for (const id of ids) client.send(ask(id, `branch ${id}`, place));
    const texts: Record<string, string> = {};
    const ends: Record<string, unknown>[] = [];
    while (ends.length < ids.length) {
      const frame = await client.nextJson();
      if (frame.type === "delta") {
        texts[String(frame.id)] = (texts[String(frame.id)] ?? "") + String(frame.text);
      } else {
        ends.push(frame);
      }
    }
    for (const id of ids) expect(texts[id]).toBe(`echo: branch ${id}`);
    expect(new Set(ends.map(({ parent_id }) => parent_id)).size).toBe(ids.length);
    for (const { json } of upstream.requests.slice(1)) {
      expect(json).toMatchObject({ messages: [{ content: "root" }, {}, {}] });
    }
  });

  test("a question that is taken back stops at the service, and the others go on", async () => {
    const { parley, upstream } = await startScene({}, { behaviour: stallMidStream });
    const client = await connect(`${parley.origin}/ask`, { protocol });
    client.send(ask("stays", "one two three four"));
    client.send(ask("goes", "one two three four"));
    await upstream.waitFor(() => upstream.open() === 2, { label: "2 asked", timeoutMs: 5_000 });
    client.send({ type: "cancel", id: "goes" });
    let frame = await client.nextJson();
    while (frame.type === "delta") frame = await client.nextJson();
    expect(frame).toMatchObject({ type: "error", id: "goes", code: "canceled", status: 499 });
    await upstream.waitFor(() => upstream.open() === 1, { label: "1 left", timeoutMs: 1_000 });
    // its id is free again
    upstream.behave(answer);
    client.send(ask("goes", "again"));
    for (frame = await client.nextJson(); frame.type !== "end"; frame = await client.nextJson()) {
      expect(frame.type).toBe("delta");
    }
    expect(frame).toMatchObject({ id: "goes", message: "echo: again" });
    const lines = await parley.logged('"outcome":"canceled"');
    expect(lines).toContain('"route":"ask websocket"');
    client.send({ type: "cancel", id: "nobody's" });
    await client.close();
  });

  test("taken back while the service is read on for its usage, it is told at once", async () => {
    const { parley, upstream } = await startScene(
      { ON_DISCONNECT: "drain:30" },
      { behaviour: paced(50) },
    );
    const client = await connect(`${parley.origin}/ask`, { protocol });
    client.send(ask("q", "one two three four five"));
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: 5_000 });
    client.send({ type: "cancel", id: "q" });
    let frame = await client.nextJson();
    while (frame.type === "delta") frame = await client.nextJson();
    expect(frame).toMatchObject({ type: "error", id: "q", code: "canceled" });
    expect(upstream.open()).toBe(1);
    await upstream.waitFor(() => upstream.open() === 0, { label: "read on", timeoutMs: 5_000 });
    expect(upstream.closedEarly.count).toBe(0);
    client.send(ask("next", "hi"));
    expect((await answerTo(client, "next")).text).toBe("echo: hi");
  });

  test("an id in use is refused without touching the question that has it", async () => {
    const { parley, upstream } = await startScene({}, { behaviour: silent });
    const client = await connect(`${parley.origin}/ask`, { protocol });
    client.send(ask("q", "hi"));
    client.send(ask("q", "hi again"));
    expect(await client.nextJson()).toMatchObject({
      type: "error",
      id: null,
      code: "field_in_use",
      status: 400,
      field: "id",
    });
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: 5_000 });
    expect(upstream.requests).toHaveLength(1);
    await client.close();
  });

  test("a ninth question at once is refused", async () => {
    const { parley, upstream } = await startScene({}, { behaviour: silent });
    const client = await connect(`${parley.origin}/ask`, { protocol });
    for (let count = 1; count <= 9; count += 1) client.send(ask(`q${count}`, "hi"));
    expect(await client.nextJson()).toMatchObject({
      type: "error",
      id: "q9",
      code: "streams_limited",
      status: 429,
      limit: 8,
      retry_after_ms: 1_000,
    });
    await upstream.waitFor(() => upstream.open() === 8, { label: "8 asked", timeoutMs: 5_000 });
    client.ws.terminate();
    await upstream.waitFor(() => upstream.open() === 0, { label: "closed", timeoutMs: 1_000 });
  });

  test.each([
    ["{", null, { code: "body_not_json" }],
    ["[]", null, { code: "body_not_object" }],
    ["[".repeat(70), null, { code: "body_too_deep" }],
    [{ id: "q" }, "q", { code: "field_missing", field: "type" }],
    [{ type: "tell", id: "q" }, "q", { code: "field_choice", field: "type" }],
    [{ type: "ask", prompt: "hi" }, null, { code: "field_missing", field: "id" }],
    [ask("", "hi"), "", { code: "field_empty", field: "id" }],
    [{ ...ask("", "hi"), id: 7 }, null, { code: "field_type", field: "id" }],
    [ask("i".repeat(101), "hi"), null, { code: "field_too_long", field: "id" }],
    [{ type: "cancel" }, null, { code: "field_missing", field: "id" }],
    [{ type: "ask", id: "q" }, "q", { code: "field_missing", field: "prompt" }],
    [ask("q", ""), "q", { code: "field_empty", field: "prompt" }],
    [ask("q", "hi", { parent_id: "p" }), "q", { code: "field_needs", field: "parent_id" }],
    [ask("q", "hi", { conversation_id: 7 }), "q", { field: "conversation_id" }],
    [ask("q", "hi", { conversation_id: "x" }), "q", { code: "conversation_not_found" }],
    [ask("q", "hi", { max_tokens: 1e9 }), "q", { code: "field_range", field: "max_tokens" }],
    [ask("q", "hi", { api_key: "two words" }), "q", { code: "key_malformed", field: "api_key" }],
  ])("%j is told what is wrong, in words and for programs", async (frame, id, facts) => {
    const { parley } = await startScene();
    const headers = { "accept-language": "zh-TW" };
    const client = await connect(`${parley.origin}/ask`, { protocol, headers });
    client.send(frame);
    const told = await client.nextJson();
    expect(told).toMatchObject({ type: "error", id, ...facts });
    expect(told.message).toMatch(/\p{Script=Han}/u);
    expect(Number(told.status)).toBeGreaterThanOrEqual(400);
    expect(told.request_id).toMatch(/./);
    client.send(ask("next", "still here"));
    expect((await answerTo(client, "next")).text).toBe("echo: still here");
  });

  test("the longest id is taken, and a null where nothing is meant", async () => {
    const { parley } = await startScene();
    const client = await connect(`${parley.origin}/ask`, { protocol });
    const id = "天".repeat(100);
    const nothing = { conversation_id: null, parent_id: null, model: null, api_key: null };
    client.send(ask(id, "hi", nothing));
    expect((await answerTo(client, id)).end).toMatchObject({ type: "end" });
  });

  test("each question may bring a key of its own", async () => {
    const { parley, upstream } = await startScene({ API_KEY: "" });
    const client = await connect(`${parley.origin}/ask`, { protocol });
    client.send(ask("q1", "hi", { api_key: OWN_KEY }));
    expect((await answerTo(client, "q1")).end.type).toBe("end");
    client.send(ask("q2", "hi", { api_key: "sk-bad-key" }));
    expect((await answerTo(client, "q2")).end).toMatchObject({ code: "key_rejected", status: 401 });
    client.send(ask("q3", "hi"));
    expect((await answerTo(client, "q3")).end).toMatchObject({ code: "key_missing" });
    expect(upstream.requests.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${OWN_KEY}`,
      "Bearer sk-bad-key",
    ]);
    expect(parley.log.join("")).not.toMatch(/sk-(caller|bad)/);
  });

  test.each([
    [403, 403],
    [424, 400],
  ])("what the service refuses with %i is %i", async (upstream_status, status) => {
    const { parley } = await startScene({}, { behaviour: refuse(upstream_status) });
    const client = await connect(`${parley.origin}/ask`, { protocol });
    client.send(ask("q", "hi"));
    const { end } = await answerTo(client, "q");
    expect(end).toMatchObject({ code: "upstream_refused", status, upstream_status });
  });

  test("what the service says goes no further than it should", async () => {
    const { parley } = await startScene({}, { behaviour: refuse(500) });
    const client = await connect(`${parley.origin}/ask`, { protocol });
    client.send(ask("q", "hi"));
    const { end } = await answerTo(client, "q");
    expect(end).toMatchObject({ type: "error", code: "upstream_failed", status: 502 });
    expect(JSON.stringify(end)).not.toContain("canary");
  });

  test("an answer of many pieces arrives whole and in order", async () => {
    const text = Array.from({ length: 40_000 }, (_, index) => `${index} `).join("");
    const { parley } = await startScene({}, { behaviour: createAnswer({ text: () => text }) });
    const client = await connect(`${parley.origin}/ask`, { protocol });
    client.send(ask("q", "count"));
    const answered = await answerTo(client, "q");
    expect(answered.text).toBe(text);
    expect(answered.end.message).toBe(text);
  });
});

function pick(from: Record<string, unknown>, ...names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}
