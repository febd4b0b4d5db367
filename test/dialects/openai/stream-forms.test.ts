/** Streams as services write them: each is passed on as it is, read by every dialect, and paid. */
import { describe, expect, test } from "vitest";
import { openStream, postJson } from "../../support/http.ts";
import { bearer, INSTRUCT, MODEL, question, sendPieces, startTokenScene } from "./support.ts";

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
const paid = { outcome: "completed", provenance: "reported", total_tokens: 7, answered_by: MODEL };
const base = { id: "c-1", object: "chat.completion.chunk", model: MODEL };
const json = (delta: object, more: object = {}, finish_reason: string | null = null) =>
  JSON.stringify({ ...base, choices: [{ index: 0, delta, finish_reason }], ...more });
const said = (content: string, more: object = {}) => json({ content }, more);
const counted = JSON.stringify({ ...base, choices: [], usage });
const finish = json({}, {}, "stop");
const DONE = "data: [DONE]\n\n";
const events = (...texts: string[]) => texts.map((text) => `data: ${text}\n\n`).join("");
const end = events(finish, counted) + DONE;

/** What it is, its bytes, and what was said. */
const forms: readonly (readonly [string, string, string])[] = [
  [
    "comments that keep it alive",
    `: OPENROUTER PROCESSING\n\n${events(said("a"))}: ping\n: ping\n\n${events(said("b"))}${end}`,
    "ab",
  ],
  [
    "a comment with a single line end before an event",
    `: ping\n${events(said("a"))}: ping\n${events(said("b"))}${end}`,
    "ab",
  ],
  ["CRLF", (events(said("a"), said("b")) + end).replaceAll("\n", "\r\n"), "ab"],
  [
    "no blank after the colon",
    (events(said("a"), said("b")) + end).replaceAll("data: ", "data:"),
    "ab",
  ],
  ["[DONE] without its empty line", (events(said("a"), said("b")) + end).slice(0, -2), "ab"],
  ["no [DONE]", events(said("a"), said("b"), finish, counted), "ab"],
  [
    "fields beside the data",
    `retry: 3000\nid: 1\nevent: message\n${events(said("a"))}id: 2\n${events(said("b"))}${end}`,
    "ab",
  ],
  ["a byte order mark", `\ufeff${events(said("a"), said("b"))}${end}`, "ab"],
  [
    "a first event without choices",
    events(JSON.stringify({ ...base, id: "", model: "", choices: [], prompt_filter_results: [] })) +
      events(said("a"), said("b")) +
      end,
    "ab",
  ],
  ["emoji", events(said("👋🏽 naïve"), said("🏳️‍🌈 你好")) + end, "👋🏽 naïve🏳️‍🌈 你好"],
  [
    "emoji whose halves are escaped",
    events(said("<"), said("x")).replace("<", "\\ud83d\\ude00") + end,
    "😀x",
  ],
  [
    "half an emoji, escaped",
    events(said("<")).replace("<", "\\ud83d") + events(said("x")) + end,
    "\ufffdx",
  ],
  ["usage in the finish event", events(said("a"), json({}, { usage }, "stop")) + DONE, "a"],
  [
    "usage in every event",
    events(
      said("a", { usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 } }),
      json({ content: "b" }, { usage }, "stop"),
    ) + DONE,
    "ab",
  ],
  [
    "null as usage in every event",
    events(
      said("a", { usage: null }),
      said("b", { usage: null }),
      json({}, { usage: null }, "stop"),
    ) +
      events(counted) +
      DONE,
    "ab",
  ],
  [
    "thoughts beside the answer",
    events(
      json({ content: "", reasoning_content: "hmm" }),
      json({ content: null, reasoning_details: [{ type: "reasoning.text", text: "hmm" }] }),
      said("a"),
    ) + end,
    "a",
  ],
  [
    "sound beside the answer",
    events(json({ audio: { id: "audio_1", data: "AAAA" } }), json({ audio: { transcript: "x" } })) +
      events(said("a")) +
      end,
    "a",
  ],
  [
    "text that looks like its end",
    events(said('data: [DONE]\n\n"usage":null,"finish_reason":"stop"'), said("b")) + end,
    'data: [DONE]\n\n"usage":null,"finish_reason":"stop"b',
  ],
];

/** Without what was added because we asked for it; usage beside an answer stays. */
const hidden = (text: string): string =>
  text
    .replace(/data: ?\{[^\n]*"choices":\[\],"usage"[^\n]*\n\r?\n/, "")
    .replaceAll(',"usage":null', "");

/** In one piece, and in pieces that cut characters and lines. */
function* sevenBytes(text: string): Generator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

const asking = { ...question, stream: true, stream_options: { include_usage: true } };

describe("a stream with", () => {
  const started = startTokenScene({ MODEL });
  test.each(forms)("%s passes as it is, and is paid", async (_, text, words) => {
    const scene = await started;
    for (const pieces of [[text], [...sevenBytes(text)]]) {
      scene.upstream.behave(sendPieces(pieces));
      expect((await scene.ask(asking)).text).toBe(text);
      expect((await scene.ask({ ...question, stream: true })).text).toBe(hidden(text));
      const reply = await openStream(
        scene.url,
        { user_content: "hi", stream: true },
        { headers: bearer(scene.token) },
      );
      const last = (await Array.fromAsync(reply.events)).findLast((one) => one !== "[DONE]") ?? "";
      expect(JSON.parse(last)).toMatchObject({ code: 200, data: { response: words } });
    }
    expect(scene.rows().slice(-6)).toMatchObject(Array(6).fill(paid));
  });
});

test("a tool call of 1.3 MB in one event is passed on and paid, its usage hidden or not", async () => {
  const called = { tool_calls: [{ index: 0, function: { arguments: "x".repeat(1_300_000) } }] };
  const text = events(json(called), finish);
  const scene = await startTokenScene();
  scene.upstream.behave(sendPieces([text, events(counted), DONE]));
  expect((await scene.ask(asking)).text === text + events(counted) + DONE).toBe(true);
  expect((await scene.ask({ ...question, stream: true })).text === text + DONE).toBe(true);
  expect(scene.rows()).toMatchObject([paid, paid]);
});

const echoed = JSON.stringify({
  ...{ id: "cmpl-1", object: "text_completion", model: INSTRUCT },
  choices: ["a", "b"].map((text, index) => ({ index, text, logprobs: null, finish_reason: null })),
  usage,
});

test.each([
  { echo: true, suffix: "." },
  { prompt: ["one", "two"] },
  { prompt: [1, 2, 3], best_of: 2, logprobs: 1 },
])("a completion may be asked with %j", async (more) => {
  const scene = await startTokenScene();
  const url = `${scene.parley.origin}/v1/completions`;
  const body = { model: INSTRUCT, prompt: "one", stream: true, ...more };
  scene.upstream.behave(sendPieces([events(echoed), DONE]));
  const asked = { ...body, stream_options: { include_usage: true } };
  const headers = bearer(scene.token);
  expect((await postJson(url, asked, { headers })).text).toBe(events(echoed) + DONE);
  expect(scene.upstream.requests[0]?.json).toEqual(asked);
  expect(scene.rows()).toMatchObject([{ ...paid, answered_by: INSTRUCT }]);
});
