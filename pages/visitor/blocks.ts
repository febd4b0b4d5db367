/** Markdown as blocks; their text is still to be read by `inline`. */
export type Block =
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "code"; readonly text: string; readonly language: string }
  | { readonly kind: "heading"; readonly level: number; readonly text: string }
  | { readonly kind: "rule" }
  | { readonly kind: "quote"; readonly text: string }
  | {
      readonly kind: "list";
      readonly ordered: boolean;
      readonly first: number;
      readonly items: readonly string[];
    }
  | {
      readonly kind: "table";
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
    };

/** Backticks behind a fence of backticks make it code within a line. */
const FENCE = /^( {0,3})(`{3,}(?!`)(?!.*`)|~{3,})\s*([\w+#.-]{0,30})/;
const HEADING = /^ {0,3}(#{1,6})\s(.*)$/;
/** Marks may also close a heading. */
const CLOSING = /(?<=\s)#+$/;
const RULE = /^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
/** However far in: nothing else is meant by indentation. */
const ITEM = /^[ \t]*(?:([-*+])|(\d{1,9})[.)])(?:\s+|$)/;
const DELIMITERS = /^ {0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

/** One pass over the lines; an open fence reaches to the end, as while it is streamed. */
export function blocksOf(markdown: string): readonly Block[] {
  return blocksFrom(markdown.replaceAll("\r\n", "\n"), 0).map(({ block }) => block);
}

interface PlacedBlock {
  readonly block: Block;
  /** In characters of the whole text. */
  readonly start: number;
}

/** The blocks from the beginning of a line on. Lines end in \n alone. */
export function blocksFrom(markdown: string, from: number): readonly PlacedBlock[] {
  const lines = markdown.slice(from).split("\n");
  const blocks: PlacedBlock[] = [];
  let start = from;
  let at = 0;
  while (at < lines.length) {
    const isBlank = lines[at]?.trim() === "";
    const [block, next] = isBlank ? [null, at + 1] : blockAt(lines, at);
    if (block !== null) blocks.push({ block, start });
    for (; at < next; at += 1) start += (lines[at]?.length ?? 0) + 1;
  }
  return blocks;
}

/** A longer line is no head of a table. */
const MAX_DELIMITERS = 500;

function isTable(lines: readonly string[], at: number): boolean {
  const delimiters = lines[at + 1] ?? "";
  if (delimiters.length > MAX_DELIMITERS || !delimiters.includes("|")) return false;
  return lines[at]?.includes("|") === true && DELIMITERS.test(delimiters);
}

type Found = readonly [block: Block, next: number];

function blockAt(lines: readonly string[], at: number): Found {
  const line = lines[at] ?? "";
  const heading = HEADING.exec(line);
  if (FENCE.test(line)) return codeAt(lines, at);
  if (heading !== null) {
    const [, marks = "", text = ""] = heading;
    const words = text.trim().replace(CLOSING, "").trim();
    return [{ kind: "heading", level: marks.length, text: words }, at + 1];
  }
  if (RULE.test(line)) return [{ kind: "rule" }, at + 1];
  if (QUOTE.test(line)) return quoteAt(lines, at);
  if (ITEM.test(line)) return listAt(lines, at);
  if (isTable(lines, at)) return tableAt(lines, at);
  return paragraphAt(lines, at);
}

function codeAt(lines: readonly string[], at: number): Found {
  const [, indent = "", fence = "```", language = ""] = FENCE.exec(lines[at] ?? "") ?? [];
  const isEnd = (line: string) =>
    line.trim().startsWith(fence) && line.trim() === fence[0]?.repeat(line.trim().length);
  const [inside, end] = linesWhile(lines, at + 1, (line) => !isEnd(line));
  const text = inside.map((line) => unindented(line, indent.length)).join("\n");
  return [{ kind: "code", text, language }, end + 1];
}

const TAB_WIDTH = 4;
const INDENTATION = /^[ \t]*/;

const widthOf = (text: string) => text.replaceAll("\t", " ".repeat(TAB_WIDTH)).length;

/** A line less far in. Of a tab that reaches further, the rest stays as spaces. */
function unindented(line: string, width: number): string {
  let [at, left] = [0, width];
  while (left > 0 && (line[at] === " " || line[at] === "\t")) {
    left -= line[at] === " " ? 1 : TAB_WIDTH;
    at += 1;
  }
  return " ".repeat(Math.max(0, -left)) + line.slice(at);
}

/** The lines from here on for which this holds, and where they end. */
function linesWhile(
  lines: readonly string[],
  from: number,
  holds: (line: string, index: number) => boolean,
) {
  let end = from;
  while (end < lines.length && holds(lines[end] ?? "", end)) end += 1;
  return [lines.slice(from, end), end] as const;
}

function quoteAt(lines: readonly string[], at: number): Found {
  const [inside, end] = linesWhile(lines, at, (line) => QUOTE.test(line));
  return [{ kind: "quote", text: inside.map((line) => line.replace(QUOTE, "")).join("\n") }, end];
}

/** Further in, a line is a part of the item before it. */
const MAX_SHIFT = 1;

function listAt(lines: readonly string[], at: number): Found {
  const [, , number] = ITEM.exec(lines[at] ?? "") ?? [];
  const ordered = number !== undefined;
  const isDeep = isDeeperThan(indentOf(lines[at] ?? "") + MAX_SHIFT);
  const isItem = (line: string) => {
    const [, mark, digits] = ITEM.exec(line) ?? [];
    return (ordered ? digits : mark) !== undefined && !isDeep(line);
  };
  const [inside, end] = linesWhile(lines, at, (line, index) => {
    const isLazy = index > at && lines[index - 1]?.trim() !== "" && !startsBlock(lines, index);
    return line.trim() === "" || isItem(line) || isDeep(line) || isLazy;
  });
  const items: string[] = [];
  // where the text of the item begins, or what follows in it, if that is less far in
  let margin = 0;
  for (const line of inside) {
    if (isDeep(line)) margin = Math.min(margin, indentOf(line));
    if (isItem(line)) {
      margin = marginOf(line);
      items.push(line.replace(ITEM, ""));
    } else items.push(`${items.pop() ?? ""}\n${unindented(line, margin)}`);
  }
  return [{ kind: "list", ordered, first: Number(number ?? 1), items }, end];
}

const indentOf = (line: string) => widthOf(INDENTATION.exec(line)?.[0] ?? "");

const isDeeperThan = (width: number) => (line: string) =>
  line.trim() !== "" && indentOf(line) > width;

/** More spaces behind the mark are a part of the text. */
const MAX_MARGIN = 4;

/** How far in the text of an item begins. */
function marginOf(item: string): number {
  const start = ITEM.exec(item)?.[0] ?? "";
  const mark = start.trimEnd();
  const space = widthOf(start.slice(mark.length));
  return widthOf(mark) + (space > MAX_MARGIN || space === 0 ? 1 : space);
}

function cellsOf(line: string): readonly string[] {
  return line
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function tableAt(lines: readonly string[], at: number): Found {
  const [rows, end] = linesWhile(lines, at + 2, (line) => line.includes("|"));
  return [{ kind: "table", head: cellsOf(lines[at] ?? ""), rows: rows.map(cellsOf) }, end];
}

const STARTS = [FENCE, HEADING, RULE, QUOTE, ITEM];

function startsBlock(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? "";
  return line.trim() === "" || STARTS.some((start) => start.test(line)) || isTable(lines, at);
}

function paragraphAt(lines: readonly string[], at: number): Found {
  const [inside, end] = linesWhile(
    lines,
    at,
    (_, index) => index === at || !startsBlock(lines, index),
  );
  return [{ kind: "paragraph", text: inside.join("\n") }, end];
}
