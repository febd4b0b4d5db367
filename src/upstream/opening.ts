import { headerOf } from "./ask.ts";
import type { UpstreamResponse } from "./exchange.ts";

/** What a body is, by its first bytes: labels are often wrong. */
export type BodyKind = "json" | "events" | "other";

/** As many as the longest name of an event's field has, and its colon. */
const ENOUGH_CHARACTERS = 6;
/** A byte order mark, as Latin-1, and white space, which some services send to keep a call alive. */
const BLANKS = /^(?:\u00ef\u00bb\u00bf)?\s*/;
const BLANK = /^(?:\u00ef\u00bb\u00bf)?\s*$/;
const COMMENT_FIRST = /^(?:\u00ef\u00bb\u00bf)?:/;
const COMMENT = /[\r\n]:/;
const JSON_START = /^[[{]/;
const KNOWN_START = /^(?:[[{]|(?:data|event|id|retry)?:)/;
const EVENT_START = /^(?:data|event|id|retry)?:/;

/** Reads as far as the first bytes that tell; they are read again with the rest. */
export async function bodyKind(response: UpstreamResponse, streamed: boolean): Promise<BodyKind> {
  const { body } = response;
  const seen: Buffer[] = [];
  let start = "";
  while (start.length < ENOUGH_CHARACTERS && !KNOWN_START.test(start)) {
    const { done, value } = await body.next();
    if (done === true) break;
    seen.push(value);
    start = (start + value.toString("latin1")).replace(BLANKS, "");
  }
  for (const chunk of seen.toReversed()) body.unread(chunk);
  if (JSON_START.test(start)) return "json";
  if (!streamed) return "other";
  if (isLabeledStream(response)) return start.startsWith("<") ? "other" : "events";
  return EVENT_START.test(start) ? "events" : "other";
}

/** Blanks in a stream keep its call alive. */
export async function beginsBlank(response: UpstreamResponse): Promise<boolean> {
  if (!isLabeledStream(response)) return false;
  const { body } = response;
  const { done, value } = await body.next();
  if (done === true) return false;
  body.unread(value);
  return BLANK.test(value.toString("latin1", 0, ENOUGH_CHARACTERS));
}

/** Finds what services send before the first event of a stream, for those who wait. */
export class SignsOfLife {
  #isBlank = true;
  #isLineStart = true;

  isIn(chunk: Buffer): boolean {
    const text = chunk.toString("latin1");
    this.#isBlank &&= BLANK.test(text);
    const isComment = (this.#isLineStart && COMMENT_FIRST.test(text)) || COMMENT.test(text);
    this.#isLineStart = /[\r\n]$/.test(text);
    return this.#isBlank || isComment;
  }
}

function isLabeledStream(response: UpstreamResponse): boolean {
  const type = headerOf(response, "content-type")?.toLowerCase();
  return type?.includes("text/event-stream") === true;
}
