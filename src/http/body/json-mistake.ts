/** What may come next. */
type Expected = "value" | "value or end" | "key" | "key or end" | "colon" | "comma or end";

const BLANK = /[ \t\n\r]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const HEX = /^[\da-f]{4}$/i;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BLANK_CODE = 0x20;

/**
 * Index of the first character that can't be part of a JSON text; the text's length if it ends too
 * early. JSON.parse names a position for some mistakes only, and in a message that quotes the text.
 */
export function jsonMistakeAt(text: string): number {
  const open: string[] = [];
  let expected: Expected = "value";
  let at = endOf(BLANK, text, 0);
  while (at < text.length) {
    const kind = kindAt(text, at);
    const next = afterToken(expected, kind, open);
    if (next === null) return at;
    const { end, isWhole } = kind === '"' ? stringAt(text, at) : tokenAt(text, at, kind);
    if (!isWhole) return end;
    expected = next;
    at = endOf(BLANK, text, end);
  }
  return at;
}

/** Line and column, both from 1. */
export function placeOf(text: string, index: number): { line: number; column: number } {
  const before = text.slice(0, index);
  const lineStart = before.lastIndexOf("\n") + 1;
  let line = 1;
  for (let at = before.indexOf("\n"); at !== -1; at = before.indexOf("\n", at + 1)) line += 1;
  return { line, column: index - lineStart + 1 };
}

/** A bracket, colon, comma or quote as it is; "scalar"; "" if no token begins here. */
function kindAt(text: string, at: number): string {
  const character = text.charAt(at);
  if ('{}[]:,"'.includes(character)) return character;
  return endOf(SCALAR, text, at) > at ? "scalar" : "";
}

/** Null if no such token may stand here. */
function afterToken(expected: Expected, kind: string, open: string[]): Expected | null {
  switch (expected) {
    case "value or end":
      return kind === "]" ? close(open) : valueBegins(kind, open);
    case "value":
      return valueBegins(kind, open);
    case "key or end":
      if (kind === "}") return close(open);
      return kind === '"' ? "colon" : null;
    case "key":
      return kind === '"' ? "colon" : null;
    case "colon":
      return kind === ":" ? "value" : null;
    case "comma or end":
      return memberEnds(kind, open);
  }
}

function valueBegins(kind: string, open: string[]): Expected | null {
  if (kind === "{" || kind === "[") {
    open.push(kind);
    return kind === "{" ? "key or end" : "value or end";
  }
  return kind === '"' || kind === "scalar" ? "comma or end" : null;
}

function memberEnds(kind: string, open: string[]): Expected | null {
  const last = open.at(-1);
  if (last === undefined) return null;
  if (kind === ",") return last === "{" ? "key" : "value";
  return kind === (last === "{" ? "}" : "]") ? close(open) : null;
}

function close(open: string[]): Expected {
  open.pop();
  return "comma or end";
}

/** `end`: behind the token, or where it goes wrong. */
interface Token {
  readonly end: number;
  readonly isWhole: boolean;
}

function tokenAt(text: string, at: number, kind: string): Token {
  return { end: kind === "scalar" ? endOf(SCALAR, text, at) : at + 1, isWhole: true };
}

/** Character by character: a pattern for each escape would take a hundred times as long. */
function stringAt(text: string, start: number): Token {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return { end: at + 1, isWhole: true };
    if (code < BLANK_CODE) return { end: at, isWhole: false };
    if (code !== BACKSLASH) continue;
    const length = escapeLength(text, at);
    if (length === 0) return { end: at, isWhole: false };
    at += length - 1;
  }
  return { end: text.length, isWhole: false };
}

/** 0 if it is none. */
function escapeLength(text: string, at: number): number {
  const letter = text.charAt(at + 1);
  if (letter === "u") return HEX.test(text.slice(at + 2, at + 6)) ? 6 : 0;
  return letter !== "" && '"\\/bfnrt'.includes(letter) ? 2 : 0;
}

/** Where a sticky pattern's match ends; `at` if there is none. */
function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
