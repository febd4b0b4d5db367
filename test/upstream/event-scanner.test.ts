import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventScanner } from "../../src/upstream/event-scanner.ts";

const MAX_EVENT_BYTES = 100_000;

const chunk = (extra: object) => ({ id: "chatcmpl-1", model: "gpt-4o-mini-2024", ...extra });
const delta = (content: string) =>
  chunk({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
const stop = chunk({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
const counts = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };

/** A stream as a client gets it that did not ask for usage, and as it comes when we asked. */
function chatStream(lineEnd: string) {
  const deltas = [delta("hé"), delta('"usage":null'), delta("日本 🙂"), stop];
  const event = (data: object) => `data: ${JSON.stringify(data)}${lineEnd}${lineEnd}`;
  const done = `data: [DONE]${lineEnd}${lineEnd}`;
  const direct = deltas.map(event).join("") + done;
  const asked =
    deltas.map((one) => event({ ...one, usage: null })).join("") +
    event(chunk({ choices: [], usage: counts })) +
    done;
  return { direct, asked };
}

function scan(pieces: readonly Buffer[], hideUsage: boolean) {
  const scanner = new EventScanner(hideUsage, MAX_EVENT_BYTES);
  const passed: Buffer[] = [];
  let lastAt = -1;
  for (const piece of pieces) {
    const shown = scanner.push(piece);
    if (shown === undefined) continue;
    if (shown.last && lastAt === -1) lastAt = Buffer.concat(passed).length;
    passed.push(Buffer.from(shown.bytes));
  }
  passed.push(Buffer.from(scanner.rest()?.bytes ?? []));
  return { text: Buffer.concat(passed).toString("utf8"), lastAt, scanner };
}

describe.each([
  ["LF", "\n"],
  ["CRLF", "\r\n"],
])("a chat stream with %s", (_name, lineEnd) => {
  const { direct, asked } = chatStream(lineEnd);
  const bytes = Buffer.from(asked);

  it("reads to a client that did not ask for usage as if nobody had, cut at any offset", () => {
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const { text, scanner } = scan([bytes.subarray(0, cut), bytes.subarray(cut)], true);
      expect(text, `cut at ${cut}`).toBe(direct);
      expect(scanner.account.usage?.totalTokens, `cut at ${cut}`).toBe(7);
      expect(scanner.isComplete).toBe(true);
    }
  });

  it("passes unchanged to a client that asked, cut at any offset", () => {
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const { text, scanner } = scan([bytes.subarray(0, cut), bytes.subarray(cut)], false);
      expect(text).toBe(asked);
      expect(scanner.account).toMatchObject({
        model: "gpt-4o-mini-2024",
        upstreamId: "chatcmpl-1",
      });
      expect(scanner.account.usage?.completionTokens).toBe(4);
    }
  });

  it("holds the last piece back until the call is settled: [DONE] never leaves before it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: bytes.length })),
        fc.boolean(),
        (cuts, hide) => {
          const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
          const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
          const { text, lastAt } = scan(pieces, hide);
          expect(lastAt).toBeGreaterThan(-1);
          const done = Buffer.from(text).indexOf("[DONE]");
          expect(lastAt).toBeLessThan(done + "[DONE]".length);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("streams that are not as they should be", () => {
  it("know that they are not complete without a reason or [DONE]", () => {
    const { direct } = chatStream("\n");
    const half = Buffer.from(direct.slice(0, direct.indexOf('"finish_reason":"stop"')));
    expect(scan([half], true).scanner.isComplete).toBe(false);
  });

  it("count usage that comes with every event once, the last time", () => {
    const event = (completion_tokens: number) =>
      `data: ${JSON.stringify(chunk({ choices: [{ delta: {} }], usage: { ...counts, completion_tokens } }))}\n\n`;
    const { scanner, text } = scan([Buffer.from(event(1)), Buffer.from(event(2) + event(9))], true);
    expect(scanner.account.usage?.completionTokens).toBe(9);
    expect(text).toBe(event(1) + event(2) + event(9));
  });

  it("keep usage that comes before the model is named", () => {
    const event = (data: object) => Buffer.from(`data: ${JSON.stringify(data)}\n\n`);
    const first = event({ id: null, model: "", choices: [], usage: counts });
    const { scanner } = scan([first, event(delta("a"))], false);
    expect(scanner.account).toMatchObject({
      model: "gpt-4o-mini-2024",
      upstreamId: "chatcmpl-1",
      usage: { totalTokens: 7 },
    });
  });

  it("do not fill memory with an event that never ends", () => {
    const scanner = new EventScanner(true, 1_000);
    const piece = Buffer.from("x".repeat(600));
    expect(scanner.push(piece)).toBeUndefined();
    expect(scanner.push(piece)?.bytes.length).toBe(1_200);
    expect(scanner.rest()).toBeUndefined();
  });
});

describe("a stream of which only one event tells something", () => {
  const bytewise = (text: string) => Array.from(Buffer.from(text), (byte) => Buffer.of(byte));
  const inBoth = (text: string, hide: boolean) =>
    [[Buffer.from(text)], bytewise(text)].map((pieces) => scan(pieces, hide));
  const plain = `data: ${JSON.stringify(delta("a"))}\n\n`;
  const typed = (type: string) => `data: {"type":"${type}"}\n\n`;

  it.each([
    ["[DONE]", "data: [DONE]\n\n"],
    ["[DONE] without a blank", "data:[DONE]\r\r"],
    ["a reason", `data: ${JSON.stringify(stop)}\n\n`],
    ["a reason after a blank", 'data: {"choices": [{"finish_reason": "stop"}]}\r\n\r\n'],
    [
      "the reason of a second choice",
      'data: {"choices":[{"finish_reason":null},{"finish_reason":"length"}]}\n\n',
    ],
    ["a response that was completed", typed("response.completed")],
    ["a response that is incomplete", typed("response.incomplete")],
    ["a response that failed", typed("response.failed")],
  ])("is complete with %s", (_name, end) => {
    for (const hide of [true, false]) {
      for (const { scanner, text } of inBoth(plain + end, hide)) {
        expect(scanner.isComplete).toBe(true);
        expect(text).toBe(plain + end);
      }
    }
  });

  it.each([
    ["a reason that is null", plain],
    ["texts that look like it", `data: ${JSON.stringify(delta('"finish_reason":"x" [DONE]'))}\n\n`],
    ["another type", typed("response.output_text.completed")],
    ["an object that has the type", 'data: {"metadata":{"type":"response.completed"}}\n\n'],
  ])("is not complete with %s", (_name, text) => {
    for (const { scanner, lastAt } of inBoth(plain + text, true)) {
      expect(scanner.isComplete).toBe(false);
      expect(lastAt).toBe(-1);
    }
  });

  it("has its usage read and hidden, however it is spaced, and names beyond ASCII", () => {
    const named = 'data: {"id": "日本", "model": "modèle", "choices": [{}], "usage": null}\n\n';
    const used = `data: {"choices": [], "usage": ${JSON.stringify(counts)}}\n\n`;
    for (const { scanner, text } of inBoth(named + used, true)) {
      expect(text).toBe(named.replace(', "usage": null', ""));
      expect(scanner.account).toMatchObject({
        model: "modèle",
        upstreamId: "日本",
        usage: { totalTokens: 7 },
      });
    }
  });

  it.each([
    ["LF", "\n\n"],
    ["CRLF", "\r\n\r\n"],
    ["CR", "\r\r"],
  ])("passes an event on as soon as it has ended, with %s cut anywhere", (_name, end) => {
    const event = `data: ${JSON.stringify(delta("a"))}${end}`;
    for (let cut = 1; cut < event.length; cut += 1) {
      const scanner = new EventScanner(true, MAX_EVENT_BYTES);
      expect(scanner.push(Buffer.from(event.slice(0, cut)))).toBeUndefined();
      // as long as the event, so that what is held back is as much as what was
      const shown = scanner.push(Buffer.from(event.slice(cut) + event.slice(0, cut)));
      expect(Buffer.from(shown?.bytes ?? []).toString(), `cut at ${cut}`).toBe(event);
    }
  });

  it("passes an event on that is too large, and hides usage in what surrounds it", () => {
    const nothing = `data: ${JSON.stringify({ ...delta("a"), usage: null })}\n\n`;
    const scanner = new EventScanner(true, 1_000);
    const large = `data: "usage":null${"é".repeat(600)}`;
    const shown = [nothing + large, `\n\n${nothing}`].map((one) => scanner.push(Buffer.from(one)));
    const text = Buffer.concat(shown.map((one) => one?.bytes ?? Buffer.of())).toString();
    expect(text).toBe(`${plain}${large}\n\n${plain}`);
  });
});

describe("a responses stream", () => {
  it("ends with its own last event, whose usage is read", () => {
    const completed = {
      type: "response.completed",
      response: {
        id: "resp_1",
        model: "gpt-4o",
        usage: { input_tokens: 5, output_tokens: 6, total_tokens: 11 },
      },
    };
    const first = `event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1","model":"gpt-4o","usage":null}}\n\n`;
    const last = `event: response.completed\ndata: ${JSON.stringify(completed)}\n\n`;
    const { text, scanner, lastAt } = scan([Buffer.from(first), Buffer.from(last)], false);
    expect(text).toBe(first + last);
    expect(lastAt).toBe(first.length);
    expect(scanner.account).toMatchObject({ model: "gpt-4o", upstreamId: "resp_1" });
    expect(scanner.account.usage).toMatchObject({ promptTokens: 5, completionTokens: 6 });
  });
});
