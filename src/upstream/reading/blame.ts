import { jsonIn } from "./json.ts";
import type { Stretch } from "./places.ts";

/** Takes secrets out of a text. */
export type Clean = (text: string) => string;

/** A JSON text, or the beginning of one that was cut. */
const TEXT = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)/gs;

const LINES = /[^\r\n]+/g;

/** Without secrets in those stretches, which are JSON, and otherwise as it is. Its text begins at `base`. */
export function withoutSecrets(
  latin: string,
  blames: readonly Stretch[],
  clean: Clean,
  base = 0,
): string {
  let shown = "";
  let at = 0;
  for (const { start, end } of blames) {
    const from = Math.max(at, start - base);
    shown += latin.slice(at, from) + cleanJson(latin.slice(from, end - base), clean);
    at = end - base;
  }
  return at === 0 ? latin : shown + latin.slice(at);
}

/** The same for a whole answer, whose bytes stay the same ones if there is nothing to take out. */
export function bytesWithoutSecrets(
  bytes: Buffer,
  blames: readonly Stretch[],
  clean: Clean,
): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end } of blames) {
    const blame = bytes.toString("latin1", start, end);
    const shown = cleanJson(blame, clean);
    if (shown === blame) continue;
    parts.push(bytes.subarray(at, start), Buffer.from(shown, "latin1"));
    at = end;
  }
  return at === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(at)]);
}

/** For words outside of JSON, line by line. */
export function cleanLatin(latin: string, clean: Clean): string {
  const text = Buffer.from(latin, "latin1").toString();
  const shown = text.replace(LINES, (line) => clean(line));
  return shown === text ? latin : Buffer.from(shown).toString("latin1");
}

/** Text by text: what is taken out must not take a quote or a bracket with it. */
function cleanJson(latin: string, clean: Clean): string {
  return latin.replace(TEXT, (literal) => {
    const text = jsonIn(Buffer.from(literal, "latin1").toString());
    if (typeof text !== "string") return cleanLatin(literal, clean);
    const shown = clean(text);
    return shown === text ? literal : Buffer.from(JSON.stringify(shown)).toString("latin1");
  });
}
