import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createEventParser } from "../../src/core/sse.ts";

const mebibyte = 1024 * 1024;

function parse(pieces: readonly Uint8Array[], maxEventBytes = mebibyte): string[] {
  const parser = createEventParser(maxEventBytes);
  return [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()];
}

const parseText = (text: string, maxEventBytes?: number) =>
  parse([Buffer.from(text)], maxEventBytes);

const chunk = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}`;
const chunks = [chunk("¿$5 – "), chunk("你好 "), chunk("👋🏽"), chunk('"\\\n\r\u2028'), chunk("")];
const dataOf = (lines: readonly string[]) => lines.map((line) => line.slice("data: ".length));
const streamed = (lineEnd: string) =>
  [...chunks, "data: [DONE]"].map((line) => line + lineEnd + lineEnd).join("");
const said = [...dataOf(chunks), "[DONE]"];

const golden: readonly (readonly [string, string, readonly string[]])[] = [
  ["LF", streamed("\n"), said],
  ["CRLF", streamed("\r\n"), said],
  ["CR", streamed("\r"), said],
  ["mixed line ends", "data: a\r\n\ndata: b\r\rdata: c\n\r\ndata: d\r\n\r\n", ["a", "b", "c", "d"]],
  ["no line end at the end", streamed("\n").trimEnd(), said],
  ["one line end at the end", `${streamed("\n").trimEnd()}\n`, said],
  ["a CR alone at the end", `${streamed("\r\n").trimEnd()}\r`, said],
  ["comments", ": hello\n\n: 你好\ndata: a\n: between\ndata: b\n\n:\n\ndata: c\n\n", ["a\nb", "c"]],
  [
    "data in several lines",
    "data: {\ndata:   1\ndata: }\n\ndata: x\ndata:\ndata: y\n\n",
    ["{\n  1\n}", "x\n\ny"],
  ],
  [
    "other fields",
    "event: message\nid: 7\nretry: 100\ndata: a\nsomething: else\n\nevent: ping\n\n",
    ["a"],
  ],
  ["no space after the colon, and two", "data:a\n\ndata:  b\n\n", ["a", " b"]],
  ["fields that only begin like data", "database: x\ndata : y\nDATA: z\n\ndata: a\n\n", ["a"]],
  ["empty lines everywhere", "\n\n\r\n\rdata: a\n\n\n\n\r\n\r\ndata: b\n\n\n", ["a", "b"]],
  ["a byte order mark", "\uFEFFdata: a\n\n", ["a"]],
  ["four-byte characters alone", "data: 👋🏽🏳️‍🌈\n\ndata: 𝕏\n\n", ["👋🏽🏳️‍🌈", "𝕏"]],
  ["nothing", "", []],
  ["comments only", ": a\n\n: b\n\n", []],
];

describe("a stream with", () => {
  test.each(golden)("%s is read as it is meant", (_, text, events) => {
    expect(parseText(text)).toEqual(events);
  });

  test.each(golden)("%s gives the same events wherever it is cut in two", (_, text, events) => {
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at += 1) {
      const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
      expect(parse(pieces), `cut at ${at}`).toEqual(events);
    }
  });

  test.each(golden)("%s gives the same events byte by byte", (_, text, events) => {
    expect(parse(Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte)))).toEqual(events);
  });
});

test("any stream gives the same events whatever its pieces, empty ones too", () => {
  const line = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.string({ unit: "grapheme", maxLength: 12 }).map((s) => `data: ${s}`),
    },
    fc.constantFrom(
      "",
      "",
      "data",
      "data:",
      "data: ",
      ":",
      ": comment 你",
      "event: x",
      "data:👋🏽",
    ),
  );
  const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
  const stream = fc
    .array(fc.tuple(line, lineEnd), { maxLength: 20 })
    .map((lines) => lines.map(([text, end]) => text + end).join(""));
  const lengths = fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(stream, lengths, (text, sizes) => {
      const bytes = Buffer.from(text);
      const pieces: Buffer[] = [];
      let at = 0;
      for (const size of sizes) {
        pieces.push(bytes.subarray(at, at + size));
        at += size;
      }
      pieces.push(bytes.subarray(at));
      expect(parse(pieces)).toEqual(reference(text));
    }),
    { numRuns: 2_000 },
  );
});

/** The same said as plainly as possible, of a whole text: the last event may lack its empty line. */
function reference(text: string): string[] {
  const events: string[] = [];
  let data: string[] = [];
  for (const line of [...text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/), ""]) {
    if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
    if (line !== "" || data.length === 0) continue;
    events.push(data.join("\n"));
    data = [];
  }
  return events;
}

test("events come as soon as they are complete, not when the stream ends", () => {
  const parser = createEventParser(mebibyte);
  expect(parser.push(Buffer.from("data: a\n"))).toEqual([]);
  expect(parser.push(Buffer.from("\ndata: b"))).toEqual(["a"]);
  expect(parser.push(Buffer.from("\r\n\r"))).toEqual([]);
  expect(parser.push(Buffer.from("\n"))).toEqual(["b"]);
  expect(parser.end()).toEqual([]);
});

test("bytes that are no UTF-8 become replacement characters", () => {
  expect(parse([Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0x0a, 0x0a])])).toEqual([
    "\uFFFD",
  ]);
});

describe("the bound of an event", () => {
  const bound = 1_000;
  const tooMuch = (pieces: readonly Uint8Array[]) => () => parse(pieces, bound);
  const inPieces = (text: string) => {
    const bytes = Buffer.from(text);
    const count = Math.ceil(bytes.length / 100);
    return Array.from({ length: count }, (_, i) => bytes.subarray(i * 100, (i + 1) * 100));
  };

  test("an event just within it passes", () => {
    const text = "a".repeat(bound - "data: ".length);
    expect(parse(inPieces(`data: ${text}\n\n`), bound)).toEqual([text]);
  });

  test.each([
    ["a line without an end", `data: ${"a".repeat(2 * bound)}`],
    ["a line that ends", `data: ${"a".repeat(2 * bound)}\n\n`],
    ["many lines of data", `data: ${"a".repeat(90)}\n`.repeat(20)],
    ["many lines of data that are empty", "data:\n".repeat(2 * bound)],
    ["a comment without an end", `: ${"a".repeat(2 * bound)}`],
    ["a field without an end", "a".repeat(2 * bound)],
    ["a CR at each piece's end", `data: ${"a".repeat(2 * bound)}\r`],
  ])("%s beyond it is a bad answer", (_, text) => {
    expect(tooMuch(inPieces(text))).toThrow("upstream_bad_answer");
  });

  test("many small events and comments are no large one", () => {
    const text = ": comment\ndata: a\n\n".repeat(bound);
    expect(parse(inPieces(text), bound)).toHaveLength(bound);
  });

  test("what is kept of a line without an end stays within it", () => {
    const parser = createEventParser(bound);
    let pushed = 0;
    const push = () => {
      for (; pushed < 100 * bound; pushed += 100) parser.push(Buffer.alloc(100, "a"));
    };
    expect(push).toThrow("upstream_bad_answer");
    expect(pushed).toBeLessThanOrEqual(bound + 100);
  });
});
