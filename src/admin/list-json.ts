import { fieldError } from "../core/common-errors.ts";
import type { ProxyError } from "../core/errors.ts";
import { pathText } from "../http/body/field-problem.ts";
import { parseJson } from "../http/body/parsed.ts";

/** Ten times the largest public list. */
export const MAX_LIST_BYTES = 16 * 2 ** 20;

/** A list as JSON. Of two fields with one name JSON would silently take the last. */
export function parseList(bytes: Buffer): unknown {
  const list = parseJson(bytes);
  const mistake = nameMistake(bytes.toString());
  if (mistake !== null) throw mistake;
  return list;
}

/** Of the path in an error: names may have any length. */
const MAX_PATH_CHARACTERS = 200;

interface Open {
  /** Null: an array. */
  readonly names: Set<string> | null;
  at: string | number;
}

/** Expects valid JSON. */
function nameMistake(text: string): ProxyError | null {
  const open: Open[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char !== '"') {
      step(open, char);
      continue;
    }
    const start = at;
    at = endOfString(text, start);
    if (!isBeforeColon(text, at + 1)) continue;
    const code = enter(open.at(-1), JSON.parse(text.slice(start, at + 1)));
    if (code !== null) return fieldError(code, placeOf(open));
  }
  return null;
}

/** Where the quote is that closes the string. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

function isBeforeColon(text: string, from: number): boolean {
  let at = from;
  while (at < text.length && text.charAt(at) <= " ") at++;
  return text[at] === ":";
}

function step(open: Open[], token: string): void {
  if (token === "{") open.push({ names: new Set(), at: "" });
  if (token === "[") open.push({ names: null, at: 0 });
  if (token === "}" || token === "]") open.pop();
  if (token !== ",") return;
  const inner = open.at(-1);
  if (typeof inner?.at === "number") inner.at += 1;
}

/** Returns what is wrong with the name. */
function enter(inner: Open | undefined, name: string): "field_repeated" | "field_unknown" | null {
  if (inner?.names == null) return null;
  inner.at = name;
  if (inner.names.has(name)) return "field_repeated";
  inner.names.add(name);
  return name === "__proto__" ? "field_unknown" : null;
}

function placeOf(open: readonly Open[]): string {
  return pathText(open.map(({ at }) => at)).slice(0, MAX_PATH_CHARACTERS);
}
