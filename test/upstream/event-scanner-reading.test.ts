import { describe, expect, it } from "vitest";
import { EventScanner } from "../../src/upstream/event-scanner.ts";

const MAX_EVENT_BYTES = 2_000;
const event = (data: object, name?: string) =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
const piece = (content: string, extra: object = {}) =>
  event({ id: "c", model: "m", choices: [{ index: 0, delta: { content } }], ...extra });
const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };

function scan(text: string, size: number, hide = false) {
  const scanner = new EventScanner(hide, MAX_EVENT_BYTES);
  const bytes = Buffer.from(text);
  const passed: Uint8Array[] = [];
  let length = 0;
  let lastAt = -1;
  let held = 0;
  const take = (one: ReturnType<EventScanner["push"]>) => {
    if (one?.last === true && lastAt === -1) lastAt = length;
    passed.push(one?.bytes ?? Buffer.of());
    length += one?.bytes.length ?? 0;
  };
  for (let at = 0; at < bytes.length; at += size) {
    take(scanner.push(bytes.subarray(at, at + size)));
    held = Math.max(held, Math.min(at + size, bytes.length) - length);
  }
  take(scanner.rest());
  return { text: Buffer.concat(passed).toString(), lastAt, held, scanner };
}

const SIZES = [1, 7, 100, 1_999, 100_000];
const filler = 'A"\\日'.repeat(800);

describe("an event that is too large to be held", () => {
  const created = event(
    { type: "response.created", response: { id: "r", model: "m" } },
    "response.created",
  );
  const image = { type: "image_generation_call", result: filler };
  const response = { id: "r", model: "m", output: [image], usage: { ...usage, input_tokens: 3 } };
  const completed = event({ type: "response.completed", response }, "response.completed");

  it.each(SIZES)("tells its type and usage as it passes, in pieces of %d bytes", (size) => {
    const { text, lastAt, held, scanner } = scan(created + completed, size);
    expect(text).toBe(created + completed);
    expect(scanner.account).toMatchObject({ upstreamId: "r", usage: { totalTokens: 7 } });
    expect(scanner.isComplete).toBe(true);
    expect(held).toBeLessThanOrEqual(MAX_EVENT_BYTES + size);
    // the row is written before a client can have the whole event
    expect(lastAt).toBeGreaterThan(-1);
    expect(lastAt).toBeLessThan(Buffer.byteLength(text) - 2);
  });

  it.each(SIZES)("has its hidden usage taken out, in pieces of %d bytes", (size) => {
    const called = { tool_calls: [{ index: 0, function: { arguments: filler } }] };
    const finish = (extra: object) =>
      event({ id: "c", model: "m", choices: [{ delta: called, finish_reason: "stop" }], ...extra });
    const counted = event({ id: "c", choices: [], padding: filler, usage });
    const done = "data: [DONE]\n\n";
    const asked = piece("a", { usage: null }) + finish({ usage: null }) + counted + done;
    const { text, scanner } = scan(asked, size, true);
    expect(text).toBe(piece("a") + finish({}) + done);
    expect(scanner.account).toMatchObject({ model: "m", usage: { totalTokens: 7 } });
    expect(scan(asked, size).text).toBe(asked);
  });

  it.each(SIZES)("has its text counted, in pieces of %d bytes", (size) => {
    const text = piece("four") + piece("a".repeat(40_000)) + piece("four");
    expect(scan(text, size).scanner.account.answerTokens).toBe(10_002);
  });

  it("is no reason to wait for its end", () => {
    const scanner = new EventScanner(false, MAX_EVENT_BYTES);
    const begun = Buffer.from(piece("a".repeat(5_000)).slice(0, 4_000));
    expect(scanner.push(begun)?.bytes.length).toBe(begun.length);
  });
});

describe("the text of a stream is counted", () => {
  it.each([1, 10, 100, 100_000])("alike and unlike, in pieces of %d bytes", (size) => {
    const words = ["Hi", " there", "日本", "\n\n", 'say "x"', "", "\\", "😀"];
    const pieces = Array.from({ length: 80 }, (_, at) => piece(words[at % words.length] ?? ""));
    expect(scan(pieces.join(""), size).scanner.account.answerTokens).toBe(
      // 70 pieces have a text; 2 + 6 + 2 + 7 + 1 ASCII, and 3 other characters, ten times
      Math.max(70, 180 / 4 + 30),
    );
  });

  it("whatever else changes from event to event", () => {
    const numbered = (at: number) =>
      event({
        type: "response.output_text.delta",
        sequence_number: at,
        item_id: "msg_1",
        delta: "word ",
        obfuscation: "x".repeat(at % 7),
      });
    const events = Array.from({ length: 50 }, (_, at) => numbered(at));
    const { scanner, text } = scan(events.join(""), 333);
    expect(text).toBe(events.join(""));
    expect(scanner.account.answerTokens).toBe(63);
    expect(scanner.nextSequence).toBe(50);
  });

  it("and no event that tells more is passed over", () => {
    const found = scan(
      piece("a") +
        piece("a") +
        piece("a", { usage }) +
        event({
          id: "c",
          model: "m",
          choices: [{ index: 0, delta: { content: "a" }, finish_reason: "stop" }],
        }),
      50,
    ).scanner;
    expect(found.account).toMatchObject({ answerTokens: 4, usage: { totalTokens: 7 } });
    expect(found.isComplete).toBe(true);
  });
});

describe("an error", () => {
  it.each([
    ["in an event", event({ id: "c", error: { code: 502, message: "gone" }, choices: [{}] })],
    ["as an event", event({ type: "error", code: "server_error", message: "gone" }, "error")],
    ["by its name alone", 'event: error\ndata: {"message":"gone"}\n\n'],
    ["as a text", event({ error: "gone" })],
  ])("%s ends what is passed on", (_, failing) => {
    for (const size of [1, 20, 100_000]) {
      const { text, scanner } = scan(`${piece("a")}${failing}data: [DONE]\n\n`, size);
      expect(text).toBe(piece("a"));
      expect(scanner.failure?.text).toContain("gone");
      expect(scanner.isComplete).toBe(false);
    }
  });

  it("that is null is none", () => {
    const { text, scanner } = scan(piece("a", { error: null }), 20);
    expect(scanner.failure).toBeNull();
    expect(text).toBe(piece("a", { error: null }));
  });
});

it.each([
  ["a comment", ": ping\n"],
  ["a comment with an empty line", ": ping\n\n"],
])("%s passes at once and is no event", (_, comment) => {
  const scanner = new EventScanner(true, MAX_EVENT_BYTES);
  expect(String(scanner.push(Buffer.from(comment))?.bytes)).toBe(comment);
  expect(scanner.hasBegun).toBe(false);
});

it.each(SIZES)("thoughts under two names count once, in pieces of %d bytes", (size) => {
  const thinking = (delta: object) => event({ id: "c", choices: [{ index: 0, delta }] });
  const both = (text: string) => thinking({ reasoning: text, reasoning_content: text });
  const text = [
    both("a".repeat(4_000)),
    ...Array<string>(5).fill(both("four")),
    thinking({ content: "four", thinking: "four" }),
  ].join("");
  const { text: passed, scanner } = scan(text, size);
  expect(passed).toBe(text);
  expect(scanner.account.answerTokens).toBe(1_000 + 5 + 2);
  const second = thinking({ reasoning: "", reasoning_content: "four" });
  expect(scan(second + second, size).scanner.account.answerTokens).toBe(2);
});

it("a part of an event is left out where the stream breaks off, a whole one is not", () => {
  const open = piece("b").trimEnd();
  expect(scan(piece("a") + open.slice(0, -5), 30).text).toBe(piece("a"));
  expect(scan(piece("a") + open, 30).text).toBe(piece("a") + open);
});

it("a background answer is pending until it says otherwise", () => {
  const state = (status: string, background: boolean) =>
    event({ type: `response.${status}`, response: { id: "r", status, background } });
  const delta = event({ type: "response.output_text.delta", delta: "a" });
  const pendingAfter = (text: string) => scan(text, 50).scanner.account.pending;
  expect(pendingAfter(state("in_progress", true) + delta)).toBe(true);
  expect(pendingAfter(state("in_progress", true) + state("completed", true))).toBe(false);
  expect(pendingAfter(state("in_progress", false) + delta)).toBe(false);
});
