import { describe, expect, test } from "vitest";
import { mapRelayedEvents } from "../../../src/core/call/relayed-events.ts";
import { ProxyError } from "../../../src/core/errors.ts";
import type { RelayPiece, StreamedAnswer } from "../../../src/core/upstream-ports.ts";
import { EventScanner } from "../../../src/upstream/event-scanner.ts";

const MAX_EVENT_BYTES = 1_000;

/** An answer of such pieces, and what became of its reading. */
function relayed(
  texts: readonly string[],
  { hasLast = true, failure = null as Error | null } = {},
) {
  const ended = Promise.withResolvers<void>();
  const seen = { read: 0, ended: ended.promise, left: false, thrown: null as unknown };
  let at = 0;
  const pieces: AsyncIterableIterator<RelayPiece> = {
    async next() {
      const text = texts[at];
      at += 1;
      if (text !== undefined) {
        seen.read += 1;
        return { done: false, value: { bytes: Buffer.from(text), last: hasLast && isDone(text) } };
      }
      ended.resolve();
      if (failure !== null) throw failure;
      return { done: true, value: undefined };
    },
    async return() {
      seen.left = true;
      return { done: true, value: undefined };
    },
    async throw(thrown: unknown) {
      seen.thrown = thrown;
      throw thrown;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
  const account = () => ({
    model: null,
    usage: null,
    upstreamId: null,
    answerTokens: 0,
    reasoned: false,
    pending: false,
    cut: false,
  });
  const contentType = "text/event-stream";
  const head = { kind: "streamed", status: 200, contentType } as const;
  const answer: StreamedAnswer = { ...head, pieces, account, nextSequence: () => 0 };
  return { answer, seen };
}

async function* iterate(pieces: readonly RelayPiece[]): AsyncGenerator<RelayPiece> {
  yield* pieces;
}

const isDone = (text: string) => text.includes("[DONE]");

function read(answer: StreamedAnswer, map = (data: string) => data.toUpperCase()) {
  return mapRelayedEvents(answer, MAX_EVENT_BYTES, map);
}

describe("a relayed stream", () => {
  test("is mapped event by event, whatever its pieces, and [DONE] is left out", async () => {
    const { answer } = relayed(["da", "ta: a\n\ndata: b\n", "\n: ping\n\n", "data: [DONE]\n\n"]);
    expect(await Array.fromAsync(read(answer))).toEqual(["A", "B"]);
  });

  test.each(["\n", "\r\n", "\r"])(
    "gives the same wherever the upstream's bytes are cut, with line ends %j",
    async (lineEnd) => {
      const lines = ['data: "你"', ": ping", 'data: "👋🏽"', "data:[DONE]"];
      const bytes = Buffer.from(lines.map((line) => line + lineEnd + lineEnd).join(""));
      for (let cut = 1; cut < bytes.length; cut += 1) {
        const scanner = new EventScanner(cut % 2 === 0, MAX_EVENT_BYTES);
        const cuts = [bytes.subarray(0, cut), bytes.subarray(cut)];
        const pieces = cuts.flatMap((piece) => scanner.push(piece) ?? []);
        const { answer } = relayed([]);
        const events = read({ ...answer, pieces: iterate(pieces) }, (data) => data);
        expect(await Array.fromAsync(events), `cut at ${cut}`).toEqual(['"你"', '"👋🏽"']);
      }
    },
  );

  test("ends with its answer, and the rest of its connection is read on", async () => {
    const { answer, seen } = relayed(["data: a\n\ndata: [DONE]", "\n\n"], {
      failure: new Error("reset"),
    });
    const events = read(answer);
    expect((await events.next()).value).toBe("A");
    expect((await events.next()).done).toBe(true);
    await seen.ended;
    expect(seen).toMatchObject({ read: 2, left: false, thrown: null });
  });

  test("that ends without [DONE] is read to its end", async () => {
    const { answer } = relayed(["data: a\n\ndata: b"], { hasLast: false });
    expect(await Array.fromAsync(read(answer))).toEqual(["A", "B"]);
  });

  test("that breaks throws what broke it", async () => {
    const failure = new ProxyError("upstream_failed");
    const { answer } = relayed(["data: a\n\n"], { failure });
    const events = read(answer);
    await events.next();
    await expect(events.next()).rejects.toBe(failure);
  });

  test.each<[string, string, Error, string]>([
    [
      "cannot be mapped",
      "data: a\n\n",
      new ProxyError("upstream_bad_answer"),
      "upstream_bad_answer",
    ],
    ["maps with a mistake of ours", "data: a\n\n", new TypeError("canary"), "internal"],
  ])("with an event that %s is thrown back", async (_name, text, thrown, code) => {
    const { answer, seen } = relayed([text, "data: [DONE]\n\n"]);
    const events = read(answer, () => {
      throw thrown;
    });
    await expect(events.next()).rejects.toMatchObject({ code });
    expect(seen.thrown).toMatchObject({ code });
    expect(seen).toMatchObject({ read: 1, left: false });
  });

  test("with an event that has no end is thrown back", async () => {
    const { answer, seen } = relayed([`data: ${"a".repeat(MAX_EVENT_BYTES + 1)}`]);
    await expect(read(answer).next()).rejects.toMatchObject({ code: "upstream_bad_answer" });
    expect(seen.thrown).toMatchObject({ code: "upstream_bad_answer" });
  });

  test("whose reader leaves is let go", async () => {
    const { answer, seen } = relayed(["data: a\n\n", "data: b\n\n"]);
    for await (const data of read(answer)) {
      expect(data).toBe("A");
      break;
    }
    expect(seen).toMatchObject({ read: 1, left: true, thrown: null });
  });
});
