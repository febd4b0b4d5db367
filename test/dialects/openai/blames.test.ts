/** What a good answer says about errors passes without the secrets that it quotes. */
import { describe, expect, test } from "vitest";
import { EventScanner } from "../../../src/upstream/event-scanner.ts";
import { postJson } from "../../support/http.ts";
import { says } from "../../support/refusals.ts";
import { OPERATOR_KEY } from "../../support/scene.ts";
import { bearer, MODEL, sendPieces, startTokenScene } from "./support.ts";

const OTHER_KEY = "another-operator-key";
const GOOGLE_KEY = "AIzaSyA0000000000000000000000000000000";
const QUOTED = `bad key\t${OPERATOR_KEY} and ${OTHER_KEY}, "${GOOGLE_KEY}": 你好`;
const SHOWN = 'bad key\t[removed] and [removed], "[removed]": 你好';
const usage = { input_tokens: 10, output_tokens: 20, total_tokens: 30 };
const scene = await startTokenScene({ API_KEY: `${OPERATOR_KEY},${OTHER_KEY}` });

function ask(path: string, fields: object) {
  const headers = bearer(scene.token);
  return postJson(`${scene.parley.origin}${path}`, { model: MODEL, ...fields }, { headers });
}
const respond = (fields: object = {}) => ask("/v1/responses", { input: "x", ...fields });
/** In the order of a real answer, with what its client wrote and what the model said. */
const response = (words: string, more: object = {}, size = 10) => ({
  id: "resp_1",
  object: "response",
  status: "failed",
  error: { code: words, message: words, inner: [{ words }] },
  incomplete_details: { reason: words },
  metadata: { error: `mine: ${GOOGLE_KEY}` },
  model: MODEL,
  output: [
    {
      type: "message",
      content: [{ type: "output_text", text: `said ${GOOGLE_KEY} ${"x".repeat(size)}` }],
    },
    { type: "mcp_call", id: "mcp_1", error: words },
  ],
  usage,
  ...more,
});
const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
const failed = (words: string, size?: number) =>
  event({ type: "response.failed", sequence_number: 1, response: response(words, {}, size) });
const created = event({ type: "response.created", sequence_number: 0, response: { id: "resp_1" } });

describe("a response that failed", () => {
  test.each([10, 70_000])("is shown without them, and paid, with %d characters", async (size) => {
    scene.upstream.behave(says(200, JSON.stringify(response(QUOTED, {}, size))));
    const reply = await respond();
    expect(reply.text).toBe(JSON.stringify(response(SHOWN, {}, size)));
    expect(scene.rows().at(-1)).toMatchObject({ total_tokens: 30, provenance: "reported" });
  });

  test("that quotes none keeps its bytes", async () => {
    const text = `{"object":"response", "error" : {"code":"x", "message":"a\\u0062 \\/ sk"},"status":"failed"}`;
    scene.upstream.behave(says(200, text));
    expect((await respond()).text).toBe(text);
  });

  test.each([10, 1_200_000])("in a stream, with %d characters", async (size) => {
    scene.upstream.behave(sendPieces([created, failed(QUOTED, size)]));
    const reply = await respond({ stream: true });
    expect(reply.text === created + failed(SHOWN, size)).toBe(true);
    expect(scene.rows().at(-1)).toMatchObject({ outcome: "completed", total_tokens: 30 });
  });
});

describe("other words about errors", () => {
  const choices = (words: string) => [
    {
      index: 0,
      message: { role: "assistant", content: "Hi" },
      delta: { content: "Hi" },
      content_filter_results: { error: { code: "content_filter_error", message: words } },
      error: { message: words },
    },
  ];
  test.each<[string, (words: string) => object]>([
    ["warnings", (words) => ({ choices: [], warnings: [{ message: words }] })],
    ["a filter that did not work", (words) => ({ choices: choices(words) })],
    [
      "a filter of the prompt",
      (words) => ({
        prompt_filter_results: [{ content_filter_results: { error: { message: words } } }],
      }),
    ],
  ])("%s", async (_, make) => {
    const counts = { usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } };
    const chat = (words: string) => ({ id: "c", ...make(words), ...counts });
    const messages = [{ role: "user", content: "hi" }];
    scene.upstream.behave(says(200, chat(QUOTED)));
    expect((await ask("/v1/chat/completions", { messages })).json).toEqual(chat(SHOWN));
    const stop = event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
    const streamed = (words: string) => `${event(make(words))}${stop}data: [DONE]\n\n`;
    scene.upstream.behave(sendPieces([streamed(QUOTED)]));
    const reply = await ask("/v1/chat/completions", { messages, stream: true });
    expect(reply.text).toBe(streamed(SHOWN));
  });

  test("a comment, and an event that is an item", async () => {
    const item = (words: string) =>
      event({ type: "response.output_item.done", sequence_number: 1, item: { error: words } });
    const done = event({ type: "response.completed", sequence_number: 2, response: { usage } });
    const text = (words: string, said: string) =>
      `: failing over, ${said}\n\n${created}${item(words)}${done}`;
    scene.upstream.behave(sendPieces([text(QUOTED, `key ${OPERATOR_KEY}`)]));
    const reply = await respond({ stream: true });
    expect(reply.text).toBe(text(SHOWN, "key [removed]"));
  });
});

test("an event that is no JSON has none, and one that only has more fields is no such", async () => {
  const field = "\nid: 7\n\n";
  const said = event({ type: "response.output_text.delta", delta: `say ${GOOGLE_KEY}` });
  const text = (key: string) =>
    [
      `data: the key ${key}, "\t\ndata: is bad\n\n`,
      said.replace("\n\n", field),
      event({ type: "response.failed", response: { error: { message: key } } }).replace("}}}", "}"),
    ].join("");
  scene.upstream.behave(sendPieces([created, text(OPERATOR_KEY)]));
  expect((await respond({ stream: true })).text).toContain(created + text("[removed]"));
});

test("wherever the bytes are cut, and whatever is held", () => {
  const clean = (text: string) => text.replaceAll(OTHER_KEY, "[removed]");
  const stream = (words: string) => created + failed(words, 300);
  for (const maxEventBytes of [64, 100, 400, 10_000]) {
    for (let cut = 1; cut < 700; cut += 7) {
      const scanner = new EventScanner(false, maxEventBytes, clean);
      const bytes = Buffer.from(stream(`the key ${OTHER_KEY} is bad`));
      const pieces: string[] = [];
      for (let at = 0; at < bytes.length; at += cut) {
        const piece = scanner.push(bytes.subarray(at, at + cut));
        if (piece !== undefined) pieces.push(Buffer.from(piece.bytes).toString("latin1"));
      }
      expect(pieces.join("")).toBe(stream("the key [removed] is bad"));
      expect(scanner.account.usage?.totalTokens).toBe(30);
    }
  }
});
