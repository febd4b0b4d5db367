import { expect, test } from "vitest";
import { wellFormedJson } from "../../../src/core/well-formed.ts";
import { jsonWithRepeated } from "../../../src/http/reply/repeated-text.ts";

const long = (part: string) => part.repeat(Math.ceil(20_000 / part.length));
const texts: readonly (readonly [string, string])[] = [
  ["letters", long("abc")],
  ["quotes and backslashes", long('"\\')],
  ["what stands for the text", long('"\\/"')],
  ["slashes behind backslashes", long("\\/")],
  ["control characters", long("\u0000\n")],
  ["other scripts", long("中文 😀")],
  ["halves of pairs", long("\ud83d \ude00")],
  ["a short text", "abc"],
  ["no text", ""],
];

test.each(texts)("%s in several places is the same JSON", (_name, text) => {
  const value = { a: text, b: [text, { text }], c: `${text}!`, d: '"\\/"', e: 1.5, f: null };
  const body = jsonWithRepeated(value, text);
  const json = typeof body === "string" ? body : Buffer.concat(body).toString();
  expect(json === wellFormedJson(value)).toBe(true);
});

test("a long text is kept once, however often it stands there", () => {
  const text = long("abc");
  const body = jsonWithRepeated({ a: text, b: [text, text], c: text }, text);
  const kept = new Set(body as readonly Buffer[]);
  const bytes = [...kept].reduce((sum, piece) => sum + piece.length, 0);
  expect(bytes).toBeLessThan(1.1 * text.length);
});
