import stringWidth from "string-width";

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const ELLIPSIS = "…";

/** In columns of a terminal: characters of East Asia take two, combining ones none. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

export function paddedEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

export function paddedStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - widthOf(text))) + text;
}

/** At most this wide; what was longer ends in an ellipsis. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let cut = "";
  let room = width - widthOf(ELLIPSIS);
  for (const { segment } of graphemes.segment(text)) {
    room -= widthOf(segment);
    if (room < 0) break;
    cut += segment;
  }
  return cut + ELLIPSIS;
}

/** Blanks, or a word. Chinese may be broken anywhere but before these marks and after those. */
const PIECE =
  / +|[（“「]*\p{Script=Han}[，。、；：？）”」]*|(?:(?!\p{Script=Han})[^ （“「])+|[（“「]+/gu;

/** Lines of at most this width, where words allow it; line breaks in the text stay. */
export function wrapped(text: string, width: number): readonly string[] {
  return text.split("\n").flatMap((paragraph) => wrappedLine(paragraph, width));
}

function wrappedLine(paragraph: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  let blanks = "";
  for (const [piece] of paragraph.matchAll(PIECE)) {
    if (piece.startsWith(" ")) {
      blanks = piece;
      continue;
    }
    if (line !== "" && widthOf(line + blanks + piece) > width) {
      lines.push(line);
      line = piece;
    } else line += blanks + piece;
    blanks = "";
  }
  return [...lines, line];
}

/** Two columns, of which the second is wrapped within `width`. */
export function inColumns(
  rows: readonly (readonly [left: string, right: string])[],
  width: number,
): string {
  const left = Math.max(...rows.map(([one]) => widthOf(one))) + GAP;
  const room = Math.max(MIN_WRAPPED, width - left);
  return rows
    .flatMap(([one, right]) =>
      wrapped(right, room).map((line, at) => paddedEnd(at === 0 ? one : "", left) + line),
    )
    .join("\n");
}

const GAP = 2;
const MIN_WRAPPED = 30;
