/** What the upstream really said: found at any size, by its bytes, and where it is an error. */
import { describe, expect, test } from "vitest";
import { openStream, postJson, type Reply } from "../../support/http.ts";
import { OPERATOR_KEY } from "../../support/scene.ts";
import type { Behaviour } from "../../support/upstream.ts";
import { bearer, MODEL, question, sendPieces, startTokenScene } from "./support.ts";

const KEYS = `${OPERATOR_KEY},another-operator-key`;
const scene = await startTokenScene({ API_KEY: KEYS });
const usage = { input_tokens: 10, output_tokens: 20_000, total_tokens: 20_010 };
/** At $0.15 and $0.6, in picodollars. */
const COST = 10 * 150_000 + 20_000 * 600_000;

const body = (type: string | null, text: string | Uint8Array): Behaviour => ({
  name: "body",
  run: ({ response }) => {
    response.writeHead(200, type === null ? {} : { "content-type": type }).end(text);
  },
});
const event = (data: object, name?: string) =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
const piece = (content: string) =>
  event({ id: "c", model: MODEL, choices: [{ index: 0, delta: { content } }] });
const DONE = "data: [DONE]\n\n";
const created = event({ type: "response.created", sequence_number: 0, response: { id: "r" } });

const headers = bearer(scene.token);
function post(path: string, fields: object, more: Readonly<Record<string, string>> = {}) {
  const to = `${scene.parley.origin}${path}`;
  return postJson(to, { model: MODEL, ...fields }, { headers: { ...headers, ...more } });
}
const ask = (fields: object = {}) => post("/v1/chat/completions", { ...question, ...fields });
const respond = (fields: object = {}) => post("/v1/responses", { input: "x", ...fields });
const lastRow = () => scene.rows().at(-1);

describe("usage", () => {
  test.each([1, 7_000, 70_000])(
    "is found beside what the client wrote, with %d characters",
    async (size) => {
      const lie = { usage: "report", id: "x", model: "x" };
      const output = [{ content: [{ type: "output_text", text: "x".repeat(size) }] }];
      const said = {
        id: "resp_1",
        metadata: lie,
        model: "gpt-5",
        output,
        usage,
        user: null,
        text: lie,
      };
      scene.upstream.behave(body("application/json", JSON.stringify({ ...said, metadata: lie })));
      await respond({ metadata: lie });
      const told = {
        total_tokens: 20_010,
        cost: COST,
        answered_by: "gpt-5",
        upstream_id: "resp_1",
      };
      expect(lastRow()).toMatchObject({ ...told, provenance: "reported" });
    },
  );

  test("is found in the last choice of a stream", async () => {
    const counts = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };
    const last = { index: 0, delta: {}, finish_reason: "stop", usage: counts };
    const end = event({ id: "c", model: "kimi-k2", choices: [last] });
    scene.upstream.behave(sendPieces([piece("Hi"), end, DONE]));
    expect((await ask({ stream: true })).text).toBe(piece("Hi") + end + DONE);
    expect(lastRow()).toMatchObject({ prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 });
  });

  test("beside the answer is paid, and shown as it came", async () => {
    const details = { completion_tokens_details: { reasoning_tokens: 94 } };
    const counts = { prompt_tokens: 32, completion_tokens: 9, total_tokens: 135, ...details };
    const said = JSON.stringify({ choices: [{ message: { content: "Hi" } }], usage: counts });
    scene.upstream.behave(body("application/json", said));
    expect((await ask()).text).toBe(said);
    expect(lastRow()).toMatchObject({ completion_tokens: 103, cost: 32 * 150_000 + 103 * 600_000 });
  });

  test("of a last event above MAX_EVENT_BYTES is read, and nothing follows it", async () => {
    const { id, token } = await scene.issue({ tokens_per_day: 100_000 });
    const image = { type: "image_generation_call", id: "ig_1", result: "A".repeat(1_500_000) };
    const done = { id: "resp_1", model: "gpt-5", status: "completed", output: [image], usage };
    const text =
      created + event({ type: "response.completed", response: done }, "response.completed");
    scene.upstream.behave(sendPieces([text]));
    const fields = { stream: true, input: "draw", max_output_tokens: 20_000 };
    const statuses: number[] = [];
    for (let call = 0; call < 6; call += 1) {
      const reply = await post("/v1/responses", fields, bearer(token));
      statuses.push(reply.status);
      if (reply.status === 200) expect(reply.text === text).toBe(true);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    const rows = scene.rows().filter((row) => row.token_id === id && row.outcome === "completed");
    expect(rows.map((row) => row.total_tokens)).toEqual(Array(5).fill(20_010));
  });
});

const whole = JSON.stringify({
  id: "c",
  model: MODEL,
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});
const stop = event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
const streamed = piece("Hi") + stop + DONE;

describe("the bytes tell what an answer is", () => {
  test.each([
    "text/plain;charset=UTF-8",
    "text/html",
    "application/octet-stream",
    "Application/JSON",
    "text/event-stream",
    null,
  ])("JSON as %s", async (type) => {
    for (const text of [whole, `\n  ${whole}`]) {
      scene.upstream.behave(body(type, text));
      const reply = await ask();
      expect([reply.status, reply.text]).toEqual([200, text]);
      expect(reply.headers["content-type"]).toBe("application/json");
      expect(lastRow()).toMatchObject({ total_tokens: 2, outcome: "completed" });
    }
  });

  test.each(["text/plain", "application/octet-stream", "Text/Event-Stream", "text/html", null])(
    "events as %s",
    async (type) => {
      for (const start of [
        "",
        ": ping\n\n",
        "\n",
        "\ufeff",
        "id: 1\n",
        "event: message\n",
        "retry: 5\n",
      ]) {
        scene.upstream.behave(body(type, start + streamed));
        const reply = await ask({ stream: true });
        expect([reply.status, reply.text], start).toEqual([200, start + streamed]);
        expect(reply.headers["content-type"]).toMatch(/^text\/event-stream/);
      }
    },
  );

  test("events without a label pass one by one", async () => {
    const rest = Promise.withResolvers<void>();
    scene.upstream.behave({
      name: "unlabeled",
      run: async ({ response, write }) => {
        response.writeHead(200, { "content-type": "text/plain" });
        await write(piece("Hi"));
        await rest.promise;
        response.end(stop + DONE);
      },
    });
    const { events } = await openStream(scene.chat, { ...question, stream: true }, { headers });
    for await (const data of events) {
      if (data.includes("Hi")) rest.resolve();
    }
    expect(lastRow()).toMatchObject({ outcome: "completed" });
  });

  test.each([
    ["a page", "<html>"],
    ["a text", "Hello"],
    ["nothing", ""],
    ["events that were not asked for", streamed],
  ])("%s is a bad answer", async (_, text) => {
    scene.upstream.behave(body("text/plain", text));
    expect((await ask()).status).toBe(502);
  });

  test("a byte order mark is skipped, and a number that JSON does not know passes", async () => {
    const odd = whole.replace('"index":0', '"index":0,"logprob":-Infinity,"other":NaN');
    for (const text of [whole, odd]) {
      scene.upstream.behave(body("application/json", `\ufeff${text}`));
      const reply = await ask();
      expect([reply.status, reply.text.replace(/^\ufeff/, "")]).toEqual([200, text]);
      expect(lastRow()).toMatchObject({ total_tokens: 2, provenance: "reported" });
    }
  });
});

describe("a 200 that is an error", () => {
  const json = (value: unknown) => body("application/json", JSON.stringify(value));
  const streamOf = (...events: string[]) => body("text/event-stream", events.join(""));

  test.each<[string, unknown, number]>([
    ["names its status", { error: { code: 404, message: "no such model" } }, 404],
    ["names it as a text", { error: { code: "422", message: "no" } }, 422],
    ["has a type", { error: { type: "invalid_request_error", message: "no" } }, 400],
    ["is in a list", [{ error: { code: 400, message: "no", status: "INVALID_ARGUMENT" } }], 400],
    [
      "calls itself one",
      { object: "error", message: "no", type: "BadRequestError", code: 400 },
      400,
    ],
    [
      "is in a choice that says nothing",
      { choices: [{ message: { content: "" }, delta: {}, error: { code: 404, message: "no" } }] },
      404,
    ],
    [
      "is in a choice that it ends",
      { choices: [{ text: "Half", finish_reason: "error", error: { code: 404, message: "no" } }] },
      404,
    ],
    ["is beside the usage", { choices: [{ text: "Half" }], x_groq: { error: "no" } }, 502],
    ["says nothing of the kind", { error: { message: "no" } }, 502],
    ["is a text", { error: "no" }, 502],
  ])("has a status of its own if it %s", async (_, value, status) => {
    for (const streams of [false, true]) {
      scene.upstream.behave(json(value));
      expect((await ask({ stream: streams })).status).toBe(status);
      expect(lastRow()).toMatchObject({ outcome: "failed", total_tokens: null });
      if (Array.isArray(value)) continue;
      scene.upstream.behave(streamOf(": ping\n\n", event(value as object), DONE));
      expect((await ask({ stream: true })).status).toBe(status);
      expect(lastRow()).toMatchObject({ outcome: "failed", total_tokens: null });
    }
  });

  test.each(["/v1/chat/completions", "/chat", "/v1/models"])("on %s", async (path) => {
    scene.upstream.behave(json({ error: { code: 400, message: `bad ${OPERATOR_KEY}` } }));
    const method = path === "/v1/models" ? "GET" : "POST";
    const sent = method === "GET" ? undefined : question;
    const reply = await postJson(`${scene.parley.origin}${path}`, sent, { method, headers });
    expect(reply.status).toBe(400);
    expect(reply.text).toContain('"message":"bad ');
    expect(reply.text).not.toContain(OPERATOR_KEY);
  });

  test("is not remembered for the same Idempotency-Key", async () => {
    scene.upstream.behave(json({ error: { code: 502, message: "gone" } }));
    const before = scene.upstream.requests.length;
    for (let call = 0; call < 2; call += 1) {
      const reply = await post("/v1/chat/completions", question, { "idempotency-key": "order-1" });
      expect(reply.status).toBe(502);
    }
    expect(scene.upstream.requests.length - before).toBe(2);
  });

  test("that is null is none", async () => {
    const response = { id: "r", object: "response", status: "completed", error: null, usage };
    scene.upstream.behave(json(response));
    expect((await respond()).json).toEqual(response);
    expect(lastRow()).toMatchObject({ outcome: "completed", total_tokens: 20_010 });
  });

  test("as a later event passes without its keys, and ends the stream", async () => {
    const message = `Provider disconnected ${OPERATOR_KEY} another-operator-key`;
    const failing = {
      id: "c",
      error: { code: 502, message },
      choices: [{ finish_reason: "error" }],
    };
    scene.upstream.behave(sendPieces([piece("Half"), event(failing), DONE]));
    const reply = await ask({ stream: true });
    expect(reply.status).toBe(200);
    expect(eventsIn(reply).at(-1)).toMatchObject({ id: "c", error: { code: 502 } });
    expect(reply.text).toContain("Provider disconnected");
    expect(reply.text).not.toMatch(/operator|\[DONE\]/);
    expect(lastRow()).toMatchObject({ outcome: "interrupted" });
  });

  test("as the first event lets another key do it", async () => {
    const limited = event({ error: { code: 429, message: "Rate limit exceeded" } });
    const refused = scene.upstream.requests.length + 1;
    scene.upstream.behave((request) =>
      request.serial === refused ? streamOf(limited) : streamOf(streamed),
    );
    const reply = await ask({ stream: true });
    expect([reply.status, reply.text]).toEqual([200, streamed]);
    expect(scene.upstream.requests.length).toBe(refused + 1);
  });
});

describe("a stream of responses that breaks ends in its own form", () => {
  const delta = (sequence: number, text: string) => {
    const type = "response.output_text.delta";
    return event({ type, sequence_number: sequence, item_id: "m", delta: text }, type);
  };
  const begun = [created, delta(1, "Half"), delta(2, " an"), delta(3, " answer")];
  const breaks: readonly (readonly [string, readonly string[], object])[] = [
    ["because it is cut", begun, { code: "upstream_failed" }],
    ["within an event", [...begun, delta(4, "x").slice(0, 40)], { code: "upstream_failed" }],
    [
      "by an error of its own",
      [...begun, event({ type: "error", code: "boom", message: "gone" }, "error")],
      { message: "gone" },
    ],
    [
      "by an error in another form",
      [...begun, event({ error: { code: 502, message: "gone" } })],
      { code: "502", message: "gone" },
    ],
  ];
  test.each(breaks)("%s", async (_, pieces, told) => {
    scene.upstream.behave(sendPieces(pieces));
    const reply = await respond({ stream: true });
    expect(reply.text).toContain(`\n\nevent: error\ndata: {`);
    const last = eventsIn(reply).at(-1);
    expect(last).toMatchObject({ type: "error", param: null, sequence_number: 4, ...told });
    expect(last).not.toHaveProperty("error");
    expect(lastRow()).toMatchObject({ outcome: "interrupted" });
  });

  test("in the official client", async () => {
    scene.upstream.behave(sendPieces(begun));
    const stream = await scene
      .client()
      .responses.create({ model: MODEL, input: "x", stream: true });
    const types: string[] = [];
    const reading = (async () => {
      for await (const { type } of stream) types.push(type);
    })();
    await reading.catch((error: Error) => types.push(error.message));
    expect(types.at(-1)).toMatch(/error|failed/i);
  });
});

function eventsIn({ text }: Reply): unknown[] {
  const lines = text.split("\n").filter((line) => line.startsWith("data: "));
  return lines.map((line): unknown => JSON.parse(line.slice(6)));
}
