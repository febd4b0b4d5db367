import { wellFormedJson, withoutHalves } from "../../core/well-formed.ts";

/** From this length on, copies of a text cost more than finding them. */
const LONG_CHARACTERS = 16_384;
/** Stands for the text. `JSON.stringify` never escapes a slash, so nobody else can write this. */
const PLACE = '"\\/"';

/** `JSON.rawJSON` (ES2026): missing in TypeScript's types. */
interface RawJson {
  rawJSON(text: string): object;
}

/**
 * JSON that has one text in several places, as histories and older fields have the answer. A long one
 * is written once and stands in the pieces several times: a slow reader of an answer of 15 MiB would
 * keep 60 MiB otherwise.
 */
export function jsonWithRepeated(value: object, text: string): string | readonly Buffer[] {
  if (text.length < LONG_CHARACTERS) return wellFormedJson(value);
  const place = (JSON as unknown as RawJson).rawJSON(PLACE);
  const marked = JSON.stringify(value, (_name, one: unknown) => (one === text ? place : one));
  return piecesOf(marked, Buffer.from(wellFormedJson(text)));
}

function piecesOf(marked: string, text: Buffer): Buffer[] {
  const [first = "", ...others] = withoutHalves(marked).split(PLACE);
  return [Buffer.from(first), ...others.flatMap((part) => [text, Buffer.from(part)])];
}
