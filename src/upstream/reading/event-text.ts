import { type Clean, cleanLatin, withoutSecrets } from "./blame.ts";
import { streamEvent } from "./places.ts";
import { RawText } from "./raw-text.ts";
import { Skeleton } from "./skeleton.ts";

/** An event ends with an empty line, in any of the three kinds of line end. */
const END = /\n\n|\r\n\r\n|\r\r/g;
export const MAX_END_BYTES = 4;
/** A comment is passed on as soon as its line has ended: it keeps connections open. */
const COMMENT = /(?:[\r\n]*:[^\r\n]*(?:\r\n|\n|\r(?=[^\n])))+[\r\n]*/y;
/** The last event of chat and completions, as far as clients need it that read line by line. */
export const OPEN_DONE = /^[\r\n]*data: ?\[DONE\]([\r\n]*)/;
const DONE = /[ \t]*\[DONE\]/y;
/** Data that is no JSON may say anything. */
const WORDS = /\s*[^\s[{]/y;
const DATA = /(?:^(?:\u00ef\u00bb\u00bf)?|[\r\n])data:/g;
const NEXT_DATA = /(?:\r\n|\n|\r)data:/g;
export const ERROR_EVENT = /^[\r\n]*event: ?error[\r\n]/;

/** Reads an event whose JSON begins at `json`. */
export function skeletonOf(event: string, json: number, passed = new RawText()): Skeleton {
  const skeleton = new Skeleton(streamEvent, passed);
  const data = event.slice(json);
  // JSON on several lines is put together, and then none of its positions count
  const isSplit = data.search(NEXT_DATA) !== -1;
  skeleton.push(isSplit ? data.replace(NEXT_DATA, "") : event, isSplit ? 0 : json);
  if (isSplit) skeleton.spans.length = 0;
  return skeleton;
}

/** Without secrets where the event speaks of errors. */
export function cleanEvent(
  event: string,
  json: number,
  { blames, blameFrom }: Skeleton,
  clean: Clean,
): string {
  WORDS.lastIndex = json;
  if (WORDS.test(event)) return cleanLatin(event, clean);
  if (blames.length === 0 && blameFrom === -1) return event;
  const data = event.slice(json);
  const joined = data.replace(NEXT_DATA, "");
  const isSplit = joined !== data;
  const text = isSplit ? joined : event;
  // what has no end is broken JSON
  const all = blameFrom === -1 ? blames : [...blames, { start: blameFrom, end: text.length }];
  const shown = withoutSecrets(text, all, clean);
  return shown === text ? event : (isSplit ? event.slice(0, json) : "") + shown;
}

/** Where the data of an event begins, or -1. */
export function jsonStart(event: string): number {
  if (event.startsWith("data:")) return 5;
  DATA.lastIndex = 0;
  return DATA.test(event) ? DATA.lastIndex : -1;
}

export function isDone(event: string, json: number): boolean {
  DONE.lastIndex = json;
  return DONE.test(event);
}

/** Behind the event, or the comments, at `from`; -1 while it goes on. No end lies before `searchFrom`. */
export function endOfEvent(text: string, from: number, searchFrom = from): number {
  COMMENT.lastIndex = from;
  if (COMMENT.test(text)) return COMMENT.lastIndex;
  END.lastIndex = Math.max(from, searchFrom);
  return END.test(text) ? END.lastIndex : -1;
}
