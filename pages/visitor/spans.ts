/** A part of a line or paragraph. */
export type Span =
  | string
  | { readonly kind: "break" }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "link"; readonly href: string; readonly inside: readonly Span[] }
  | {
      readonly kind: "strong" | "em" | "s";
      readonly inside: readonly Span[];
      /** With its marks, as it was written. */
      readonly source: string;
    };

/**
 * Code, a run of backticks that is none, a link or picture, an address, marks, an escape, a break. In formulas,
 * `\,` `\:` and `\;` are spaces.
 */
const TOKEN =
  /(?<ticks>`+)(?<code>[^`]|[^`][\s\S]{0,2000}?[^`])\k<ticks>(?!`)|`+|!?\[(?<label>(?:[^[\]\\]|\\.|\[[^[\]]{0,500}\]){0,500})\]\(<?(?<target>(?:[^\s()<>]|\([^\s()<>]{0,500}\)){1,2000})>?(?:\s+"[^"]{0,200}")?\)|<(?<address>https?:\/\/[^\s<>"'`]{1,2000})>|(?<bare>https?:\/\/(?=[\p{L}\p{N}[])[^\s<>"'`*|\\“”‘’«»\u3000-\u303f\uff00-\uffef\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]{1,2000})|(?<run>\*+|_+|~+)|\\(?<escaped>[!-+\--/<-@[-`{-~])|(?<end>(?:(?<! ) {2,}|\\)\n|<[bB][rR] ?\/?>)/gu;
const ADDRESS = /^(?:https?:\/\/|mailto:)/i;

/** Marks that may begin or end emphasis. */
interface Run {
  readonly mark: string;
  readonly length: number;
  /** In characters of the whole text. */
  readonly at: number;
  readonly opens: boolean;
  readonly closes: boolean;
}

/** Emphasis that has begun, with what has been read of it; `left` marks wait for their end. */
interface Opened {
  readonly run: Run;
  left: number;
  inside: Span[];
}

/** Reads a text once, from its beginning to its end. In a link is no link. */
export function spansOf(text: string, mayLink = true): readonly Span[] {
  const nothing = { mark: "", length: 0, at: 0, opens: false, closes: false };
  const opened: Opened[] = [{ run: nothing, left: 0, inside: [] }];
  const put = (span: Span) => append(opened.at(-1)?.inside ?? [], span);
  const tokens = new RegExp(TOKEN);
  let at = 0;
  for (let found = tokens.exec(text); found !== null; found = tokens.exec(text)) {
    put(text.slice(at, found.index));
    const { run, bare } = found.groups ?? {};
    // what ends a sentence is not a part of the address before it
    if (bare !== undefined) tokens.lastIndex = found.index + lengthOfAddress(bare);
    at = tokens.lastIndex;
    const written = text.slice(found.index, at);
    if (run === undefined) put(atom(found.groups ?? {}, written, mayLink));
    else emphasize(opened, runAt(text, found.index, run), text);
  }
  put(text.slice(at));
  flatten(opened, 0);
  return opened[0]?.inside ?? [];
}

function atom(
  { code, label, target, address, bare, escaped, end }: Record<string, string | undefined>,
  written: string,
  mayLink: boolean,
): Span {
  if (code !== undefined) return { kind: "code", text: code.trim() };
  if (escaped !== undefined) return escaped;
  if (end !== undefined) return { kind: "break" };
  if (!mayLink) return written;
  if (address !== undefined) return { kind: "link", href: address, inside: [address] };
  if (bare !== undefined) return { kind: "link", href: written, inside: [written] };
  if (target === undefined || !ADDRESS.test(target)) return written;
  return { kind: "link", href: target, inside: spansOf(label || target, false) };
}

const countOf = (text: string, character: string) => text.split(character).length - 1;

/** Without what ends a sentence, marks, and brackets that began before it. */
function lengthOfAddress(written: string): number {
  let surplus = countOf(written, ")") - countOf(written, "(");
  let length = written.length;
  for (; length > 0; length -= 1) {
    const last = written[length - 1] ?? "";
    if (last === ")" && surplus > 0) surplus -= 1;
    else if (!".,:;!?]_~…—".includes(last)) break;
  }
  return length;
}

const PUNCTUATION = /[\p{P}\p{S}]/u;
const WIDE = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u;
const WORD = /[\p{L}\p{N}]/u;
const DIGIT = /\d/;
const isSpace = (character: string) => character.trim() === "";
const isWord = (character: string) => WORD.test(character) && !WIDE.test(character);

/** Languages without spaces have marks right behind a word, and right before the next. */
function runAt(text: string, at: number, run: string): Run {
  const [mark = ""] = run;
  const { length } = run;
  const [before, after] = [text.charAt(at - 1), text.charAt(at + length)];
  const isEdge = isSpace(before) || PUNCTUATION.test(before) || WIDE.test(before);
  // in `some_name` and in `2*3*4`, `x**2`
  const isWithin = isWord(before) && isWord(after);
  const isText = isWithin && (mark === "_" || length === 1 || DIGIT.test(after));
  const isMark = !isText && (mark !== "~" || length === MAX_MARKS);
  return {
    mark,
    length,
    at,
    opens: isMark && !isSpace(after) && (isEdge || !PUNCTUATION.test(after)),
    closes: isMark && !isSpace(before) && !(mark === "_" && isWord(after)),
  };
}

/** Ends what these marks end; the rest may begin something. */
function emphasize(opened: Opened[], run: Run, text: string): void {
  const end = run.at + run.length;
  let at = run.at;
  let opener = openerOf(opened, run);
  while (opener > 0 && at < end) {
    const used = Math.min(opened[opener]?.left ?? 0, end - at, MAX_MARKS);
    at += used;
    close(opened, opener, used, text.slice(0, at));
    opener = openerOf(opened, run);
  }
  if (at === end) return;
  if (run.opens) opened.push({ run, left: end - at, inside: [] });
  else append(opened.at(-1)?.inside ?? [], text.slice(at, end));
}

/** A pair is strong, or strikes out. */
const MAX_MARKS = 2;
/** What began longer ago stays open: each end would look through all of it. */
const MAX_REACH = 20;

/** Which of those opened these marks end; 0 is none. */
function openerOf(opened: readonly Opened[], run: Run): number {
  if (!run.closes) return 0;
  const last = opened.length - 1;
  for (let at = last; at > Math.max(0, last - MAX_REACH); at -= 1) {
    const opener = opened[at]?.run;
    if (opener !== undefined && isPair(opener, run)) return at;
  }
  return 0;
}

/** The rule of CommonMark for marks that may begin and end: in `*a**b*` the inner ones are text. */
function isPair(opener: Run, closer: Run): boolean {
  if (opener.mark !== closer.mark) return false;
  const isClear = !opener.closes && !closer.opens;
  return isClear || (opener.length + closer.length) % 3 !== 0 || opener.length % 3 === 0;
}

function close(opened: Opened[], at: number, marks: number, textToEnd: string): void {
  flatten(opened, at);
  const ended = opened[at];
  if (ended === undefined) return;
  ended.left -= marks;
  const paired = ended.run.mark === "~" ? "s" : "strong";
  const span: Span = {
    kind: marks === MAX_MARKS ? paired : "em",
    inside: ended.inside,
    source: textToEnd.slice(ended.run.at + ended.left),
  };
  ended.inside = [span];
  if (ended.left > 0) return;
  opened.pop();
  append(opened[at - 1]?.inside ?? [], span);
}

/** What was opened later than this and has no end is text. */
function flatten(opened: Opened[], at: number): void {
  const inside = opened[at]?.inside ?? [];
  for (const { run, left, inside: later } of opened.splice(at + 1)) {
    append(inside, run.mark.repeat(left));
    for (const span of later) append(inside, span);
  }
}

function append(spans: Span[], span: Span): void {
  const last = spans.at(-1);
  if (typeof span === "string" && typeof last === "string") spans[spans.length - 1] = last + span;
  else if (span !== "") spans.push(span);
}
