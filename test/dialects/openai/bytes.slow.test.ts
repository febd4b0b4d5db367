/** Byte for byte: what the upstream sends is what the client gets. */
import { describe, expect, test } from "vitest";
import { EventScanner } from "../../../src/upstream/event-scanner.ts";
import { commentsInStream, crlfStream, hugeBody, splitEveryByte } from "../../support/faults.ts";
import { postJson } from "../../support/http.ts";
import { type Behaviour, composeAnswer, type RecordedRequest } from "../../support/upstream.ts";
import {
  bearer,
  EMBEDDER,
  INSTRUCT,
  MODEL,
  sendPieces,
  startAlone,
  startTokenScene,
  type TokenScene,
} from "./support.ts";

const text = "Grüße – 你好 👋🏽 data: [DONE]";
const chat = { model: MODEL, messages: [{ role: "user", content: text }] };
const asking = { stream: true, stream_options: { include_usage: true } };

const requests: readonly (readonly [string, string, object])[] = [
  ["a chat", "/chat/completions", chat],
  ["a streamed chat", "/chat/completions", { ...chat, stream: true }],
  ["a streamed chat with usage", "/chat/completions", { ...chat, ...asking }],
  ["a completion", "/completions", { model: INSTRUCT, prompt: text }],
  ["a streamed completion", "/completions", { model: INSTRUCT, prompt: text, stream: true }],
  ["a response", "/responses", { model: MODEL, input: text }],
  ["a streamed response", "/responses", { model: MODEL, input: text, stream: true }],
  ["an embedding", "/embeddings", { model: EMBEDDER, input: [text, "b"] }],
  ["a large embedding", "/embeddings", { model: EMBEDDER, input: text, dimensions: 20_000 }],
  ["a moderation", "/moderations", { model: MODEL, input: text }],
];

async function bothWays(path: string, body: object, behaviour?: Behaviour) {
  const options = behaviour === undefined ? {} : { behaviour };
  const alone = await startAlone(options);
  const scene = await startTokenScene({}, options);
  const headers = bearer(scene.token);
  const through = await postJson(`${scene.parley.origin}/v1${path}`, body, { headers });
  const direct = await postJson(`${alone.url}${path}`, body);
  return { through, direct, scene };
}

describe.concurrent("the bytes of an answer are those of the upstream", () => {
  test.each(requests)("of %s", async (_name, path, body) => {
    const { through, direct } = await bothWays(path, body);
    expect(through.text).toBe(direct.text);
    expect(through.status).toBe(200);
    expect(through.headers["content-type"]).toBe(direct.headers["content-type"]);
  });

  test.each([
    ["every byte comes alone", splitEveryByte],
    ["lines end as on Windows", crlfStream],
  ])("when %s", async (_name, behaviour) => {
    for (const options of [{ stream: true }, asking]) {
      const body = { ...chat, ...options };
      const { through, direct, scene } = await bothWays("/chat/completions", body, behaviour);
      expect(through.text).toBe(direct.text);
      expect(scene.rows()).toMatchObject([
        {
          outcome: "completed",
          answered_by: MODEL,
          upstream_id: "chatcmpl-1",
          prompt_tokens: text.length,
        },
      ]);
    }
  });

  test("when comments come between, which stay where they were", async () => {
    const body = { ...chat, ...asking };
    const path = "/chat/completions";
    const { through, direct, scene } = await bothWays(path, body, commentsInStream);
    expect(through.text).toBe(direct.text);
    expect(scene.rows()).toMatchObject([{ answered_by: MODEL, upstream_id: "chatcmpl-1" }]);
  });

  test("of an answer of many pages", async () => {
    const { through, direct, scene } = await bothWays("/chat/completions", chat, hugeBody(300_000));
    expect(through.text === direct.text).toBe(true);
    expect(scene.rows()).toMatchObject([
      { answered_by: MODEL, upstream_id: "chatcmpl-1", provenance: "reported" },
    ]);
  });
});

const streamOf = (body: object): Buffer => {
  const request = { method: "POST", serial: 1, json: body } as unknown as RecordedRequest;
  const path = "/v1/chat/completions";
  return Buffer.from(composeAnswer({ ...request, path }).events.join(""));
};
const withUsage = streamOf({ ...chat, ...asking });
const withoutUsage = streamOf({ ...chat, stream: true });

describe.concurrent("the bytes of a question", () => {
  const question = `{ "model":"${MODEL}",\r\n\t"messages":[{"role":"user","content":"\\u4f60 1"}], "seed": 12345678901234567890, "x": 1.0 }`;
  const ask = async (body: string) => {
    const scene = await startTokenScene();
    const headers = { ...bearer(scene.token), "content-type": "application/json" };
    const url = `${scene.parley.origin}/v1/chat/completions`;
    const { status } = await fetch(url, { method: "POST", headers, body });
    return { status, arrived: scene.upstream.requests.at(-1)?.bodyText };
  };

  test("arrive as they were sent, where nothing has to be changed", async () => {
    expect(await ask(question)).toEqual({ status: 200, arrived: question });
  });

  test("name one model, also where the client named two", async () => {
    const { arrived } = await ask(question.replace("{", '{ "model": "gpt-4-32k",'));
    expect(arrived).not.toContain("gpt-4-32k");
    expect(arrived).toContain("12345678901234567890");
  });

  test("lose what only marks their order", async () => {
    const { arrived } = await ask(`\ufeff${question}`);
    expect(arrived?.charCodeAt(0)).toBe("{".charCodeAt(0));
  });
});

test("wherever the bytes are cut the client gets the same, usage is read and the end is seen", () => {
  for (const hide of [true, false]) {
    for (let at = 0; at <= withUsage.length; at += 1) {
      const scanner = new EventScanner(hide, 1_000_000);
      const parts = [withUsage.subarray(0, at), withUsage.subarray(at)].filter((one) => one.length);
      const pieces = parts.flatMap((one) => scanner.push(one) ?? []);
      const rest = [scanner.rest() ?? []].flat();
      const bytes = Buffer.concat([...pieces, ...rest].map((piece) => piece.bytes));
      expect(bytes.equals(hide ? withoutUsage : withUsage), `cut at ${at}`).toBe(true);
      const before = pieces.slice(
        0,
        pieces.findIndex(({ last }) => last),
      );
      const earlier = Buffer.concat(before.map((piece) => piece.bytes)).toString();
      expect(pieces.at(-1)?.last, `cut at ${at}`).toBe(true);
      expect(earlier, `cut at ${at}`).not.toContain("\n\ndata: [DONE]");
      expect(scanner.account).toMatchObject({
        model: MODEL,
        usage: { promptTokens: text.length },
      });
    }
  }
});

test("bytes cut in the middle of events travel the real way unchanged", async () => {
  const scene = await startTokenScene();
  for (let at = 1; at < withUsage.length; at += 61) {
    scene.upstream.behave(sendPieces([withUsage.subarray(0, at), withUsage.subarray(at)]));
    const { text: seen } = await scene.ask({ ...chat, stream: true });
    expect(seen === withoutUsage.toString(), `cut at ${at}`).toBe(true);
  }
  expect(new Set(scene.rows().map(outcomeAndTokens))).toEqual(
    new Set([`completed ${text.length}`]),
  );
});

describe.concurrent("no text ends the bookkeeping early", () => {
  test.each([
    ["the end of a stream", "data: [DONE]"],
    ["the end of a stream in brackets alone", "[DONE]"],
    ["the last event of a response", '"type":"response.completed"'],
    ["a finish reason", '"finish_reason":"stop"'],
    ["usage", '"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}'],
    ["an event of usage", '"choices":[],"usage":{"prompt_tokens":0}'],
  ])("that looks like %s", async (_name, content) => {
    const scene = await startTokenScene();
    const body = { ...chat, messages: [{ role: "user", content }], stream: true };
    const eventsOf = (asked: object) => {
      const { events } = composeAnswer(requestFor("/v1/chat/completions", asked));
      const said = () => `"content":${JSON.stringify(content)}`;
      // the whole text in one piece, which a good upstream may do as well
      return events.map((event) => event.replace(/"content":"[^"]+"/, said));
    };
    const events = eventsOf({ ...body, ...asking });
    await readInPieces(scene, "/chat/completions", body, events, eventsOf(body).join(""));
  });

  test("that a response repeats of what its client noted", async () => {
    const scene = await startTokenScene();
    const body = { model: MODEL, input: text, stream: true };
    const metadata = { type: "response.completed" };
    const [created = "", ...rest] = composeAnswer(requestFor("/v1/responses", body)).events;
    const noted = created.replace(
      '"output":[]',
      `"metadata":${JSON.stringify(metadata)},"output":[]`,
    );
    expect(noted).not.toBe(created);
    const events = [noted, ...rest];
    await readInPieces(scene, "/responses", { ...body, metadata }, events, events.join(""));
  });
});

const requestFor = (path: string, json: object) =>
  ({ method: "POST", path, json, serial: 1 }) as unknown as RecordedRequest;

/** Events whole, then cut in their middle: the row has what the stream came to all the same. */
async function readInPieces(
  scene: TokenScene,
  path: string,
  body: object,
  events: readonly string[],
  expected: string,
): Promise<void> {
  const cut = events.flatMap((one) => [one.slice(0, -20), one.slice(-20)]);
  for (const pieces of [events, cut]) {
    scene.upstream.behave(sendPieces(pieces));
    const url = `${scene.parley.origin}/v1${path}`;
    const { text: seen } = await postJson(url, body, { headers: bearer(scene.token) });
    expect(seen).toBe(expected);
  }
  for (const row of scene.rows()) {
    expect(row).toMatchObject({ outcome: "completed", provenance: "reported" });
    expect(row.prompt_tokens).toBeGreaterThan(0);
  }
  expect(scene.rows()).toHaveLength(2);
}

const outcomeAndTokens = (row: { outcome: string; prompt_tokens: number | null }) =>
  `${row.outcome} ${row.prompt_tokens}`;
