import { isObject, jsonIn } from "./json.ts";

/** A text without escapes, in ASCII. */
const PLAIN = /^ *"([ !#-[\]-~]*)" *$/;

/** Most values are short texts or null, and JSON.parse takes several times as long. */
export function keptValue(raw: string): unknown {
  const plain = PLAIN.exec(raw)?.[1];
  if (plain !== undefined) return plain;
  return raw.trim() === "null" ? null : jsonIn(Buffer.from(raw, "latin1").toString());
}

export function endOfDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at += 1;
  return at;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Speech comes as base64. */
export function isSound(value: object): boolean {
  const type: unknown = Reflect.get(value, "type");
  return typeof type === "string" && type.endsWith("audio.delta");
}

export function newNode(isList: boolean): object {
  return isList ? [] : {};
}

/** The object or list within another one; the elements of a list are put together in one. */
export function nodeIn(node: object, isList: boolean, key: string, isInnerList: boolean): object {
  const name = isList ? "0" : key;
  const known: unknown = Reflect.get(node, name);
  if (isObject(known)) return known;
  const inner = newNode(isInnerList);
  Reflect.set(node, name, inner);
  return inner;
}

/** How many backslashes end at `end`, not looking before `from`. */
export function slashesBefore(text: string, end: number, from: number): number {
  let at = end;
  while (at > from && text.charCodeAt(at - 1) === 0x5c) at -= 1;
  return end - at;
}
