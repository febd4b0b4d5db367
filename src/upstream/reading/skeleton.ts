import { Brackets } from "./brackets.ts";
import { jsonIn } from "./json.ts";
import { endOfDigits, isSound, keptValue, newNode, nodeIn, slashesBefore } from "./kept.ts";
import type { Level, Place, Span, Stretch } from "./places.ts";
import type { RawText } from "./raw-text.ts";

/** A longer value is kept as an empty object: that it was there may matter. */
const MAX_KEPT_CHARACTERS = 65_536;
/** A longer key is none of those that are looked for. */
const MAX_KEY_CHARACTERS = 64;
/** An event with more texts is none of those that differ in their text alone. */
const MAX_SPANS = 8;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const BLANK = 0x20;

/**
 * Reads JSON as it passes, cut anywhere and of any size: keeps the few values of interest, counts the
 * model's text, skips the rest. What a client can write stands in strings or at other places, so it
 * is never mistaken for the service's own. UTF-8 is read as Latin-1; what is no structure, such as a
 * number that JSON does not know, is not looked at. About 1 ns a byte outside of strings.
 */
export class Skeleton {
  /** What was kept, at its place. The elements of a list are put together in one. */
  value: object = {};
  readonly spans: Span[] = [];
  /** Where words about errors stand, in the text of all pushes together. */
  readonly blames: Stretch[] = [];
  /** Where such words have begun that go on with the next push, or -1. */
  blameFrom = -1;
  readonly #root: Place;
  readonly #passed: RawText;
  readonly #levels: Level[] = [];
  readonly #brackets = new Brackets();
  /** Open containers within one that is of no interest. */
  #skipped = 0;
  #isBroken = false;
  #isClosed = false;
  #key = "";
  #child: Place | undefined;
  #expectsKey = false;
  #isString = false;
  #isKey = false;
  #isEscaped = false;
  #isSpoken = false;
  #stringStart = 0;
  #isKeeping = false;
  #kept = "";
  #keptStart = 0;
  #before = 0;

  constructor(root: Place, passed: RawText) {
    this.#root = root;
    this.#passed = passed;
  }

  /** The object or list has come to its end, and nothing came after it. */
  get isWhole(): boolean {
    return this.#isClosed && !this.#isBroken;
  }

  /** Positions in `spans` are those in the text of the first push. */
  push(text: string, from = 0): void {
    let at = from;
    while (at < text.length && !this.#isBroken) {
      at = this.#isString ? this.#inString(text, at) : this.#outside(text, at);
    }
    if (this.#isKeeping) this.#keep(text, text.length);
    this.#keptStart = 0;
    this.#before += text.length;
    this.#brackets.end();
  }

  /** Reads up to the next string. */
  #outside(text: string, from: number): number {
    for (let at = from; at < text.length; at += 1) {
      if (this.#skipped > 0) at = this.#brackets.after(text, at);
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.#openString(at);
        return at + 1;
      }
      this.#structure(text, at, code);
    }
    return text.length;
  }

  #structure(text: string, at: number, code: number): void {
    if (code === OPEN_OBJECT || code === OPEN_LIST) this.#open(code === OPEN_LIST);
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) this.#close(text, at, code);
    else if (this.#skipped > 0) return;
    else if (code === COMMA) this.#comma(text, at);
    else if (code === COLON) this.#colon(text, at);
    else if (this.#levels.length === 0 && code > BLANK) this.#isBroken = true;
  }

  #open(isList: boolean): void {
    if (this.#skipped > 0) {
      this.#skipped += 1;
      return;
    }
    const parent = this.#levels.at(-1);
    if (parent === undefined && this.#isClosed) this.#isBroken = true;
    const place = parent === undefined ? this.#root : this.#child;
    const isKnown = isList ? place?.items !== undefined : place?.keys !== undefined;
    if (place === undefined || (parent !== undefined && !isKnown)) {
      this.#skipped = 1;
      return;
    }
    const node =
      parent === undefined
        ? newNode(isList)
        : nodeIn(parent.node, parent.isList, this.#key, isList);
    if (parent === undefined) this.value = node;
    this.#levels.push({ place, node, isList, thought: null });
    this.#child = isList ? place.items : undefined;
    this.#expectsKey = !isList;
  }

  #close(text: string, at: number, code: number): void {
    if (this.#skipped > 0) {
      this.#skipped -= 1;
      return;
    }
    this.#endValue(text, at);
    const level = this.#levels.pop();
    if (level === undefined || level.isList !== (code === CLOSE_LIST)) this.#isBroken = true;
    const parent = this.#levels.at(-1);
    this.#isClosed = parent === undefined;
    this.#child = parent?.isList ? parent.place.items : undefined;
    this.#expectsKey = false;
  }

  #comma(text: string, at: number): void {
    this.#endValue(text, at);
    const level = this.#levels.at(-1);
    this.#expectsKey = level !== undefined && !level.isList;
    if (!this.#expectsKey) return;
    this.#child = undefined;
    this.#key = "";
  }

  #colon(text: string, at: number): void {
    const child = this.#levels.at(-1)?.place.keys?.get(this.#key);
    this.#child = child;
    this.#isKeeping = child?.keeps === true;
    if (child?.blames === true) this.blameFrom = this.#before + at + 1;
    this.#kept = "";
    this.#keptStart = at + 1;
    if (child?.varies === true) this.#addDigits(text, at + 1);
  }

  #endValue(text: string, at: number): void {
    if (!this.#isKeeping) return;
    this.#keep(text, at);
    this.#isKeeping = false;
    const value = this.#kept.length > MAX_KEPT_CHARACTERS ? {} : keptValue(this.#kept);
    if (this.blameFrom !== -1 && value !== null) {
      this.blames.push({ start: this.blameFrom, end: this.#before + at });
    }
    this.blameFrom = -1;
    const node = this.#levels.at(-1)?.node;
    // one element of a list does not take away what another has said
    if (node !== undefined && value !== undefined && (value !== null || !(this.#key in node))) {
      Reflect.set(node, this.#key, value);
    }
  }

  #keep(text: string, end: number): void {
    if (this.#kept.length <= MAX_KEPT_CHARACTERS) this.#kept += text.slice(this.#keptStart, end);
  }

  #openString(at: number): void {
    this.#isString = true;
    this.#isEscaped = false;
    this.#stringStart = at + 1;
    this.#isKey = this.#skipped === 0 && this.#expectsKey;
    if (this.#isKey) this.#key = "";
    const speaks = this.#skipped === 0 && !this.#isKey && this.#child?.speaks === true;
    const known = this.#child?.thinks === true ? this.#levels.at(-1)?.thought : null;
    this.#isSpoken = speaks && (known ?? this.#key) === this.#key && !isSound(this.value);
    if (this.#levels.length === 0) this.#isBroken = true;
  }

  #inString(text: string, from: number): number {
    const end = this.#endOfString(text, from);
    const to = end === -1 ? text.length : end;
    if (this.#isKey && this.#key.length < MAX_KEY_CHARACTERS) this.#key += text.slice(from, to);
    if (this.#isSpoken && to > from) {
      if (from === this.#stringStart) this.#passed.beginPiece();
      this.#passed.addRaw(text, from, to);
      const level = this.#levels.at(-1);
      if (level !== undefined && this.#child?.thinks === true) level.thought = this.#key;
    }
    if (end === -1) {
      this.#stringStart = -1;
      return to;
    }
    this.#closeString(from, to);
    return end + 1;
  }

  #closeString(from: number, to: number): void {
    this.#isString = false;
    if (this.#isKey) {
      this.#expectsKey = false;
      if (this.#key.includes("\\")) this.#key = String(jsonIn(`"${this.#key}"`));
    } else if (this.#isSpoken) {
      this.#addSpan(from, to, "spoken");
    } else if (
      this.#skipped === 0 &&
      (this.#child?.varies === true || this.#child?.thinks === true)
    ) {
      this.#addSpan(from, to, "string");
    }
  }

  /** The position of the quote that ends it, or -1. */
  #endOfString(text: string, from: number): number {
    let quote = from - 1;
    do {
      const begin = quote + 1;
      quote = text.indexOf('"', begin);
      const end = quote === -1 ? text.length : quote;
      const slashes = slashesBefore(text, end, begin);
      const carried = this.#isEscaped && end - slashes === from ? 1 : 0;
      const isEscaped = (slashes + carried) % 2 === 1;
      if (quote === -1) this.#isEscaped = isEscaped;
      if (!isEscaped) return quote;
    } while (quote !== -1);
    return quote;
  }

  #addDigits(text: string, from: number): void {
    let start = from;
    while (text.charCodeAt(start) === BLANK) start += 1;
    const end = endOfDigits(text, start);
    if (end > start) this.#addSpan(start, end, "digits");
  }

  #addSpan(start: number, end: number, kind: Span["kind"]): void {
    if (this.spans.length <= MAX_SPANS) this.spans.push({ start, end, kind });
  }
}
