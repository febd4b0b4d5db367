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

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]{0,30})/;
const HEADING = /^ {0,3}(#{1,6})\s(.*)$/;
/** Marks may also close a heading. */
const CLOSING = /(?<=\s)#+$/;
const RULE = /^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})(?:([-*+])|(\d{1,9})[.)])(\s+|$)/;
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

const isDelimiters = (line: string) => line.length <= MAX_DELIMITERS && DELIMITERS.test(line);

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
  if (line.includes("|") && isDelimiters(lines[at + 1] ?? "")) return tableAt(lines, at);
  return paragraphAt(lines, at);
}

function codeAt(lines: readonly string[], at: number): Found {
  const [, fence = "```", language = ""] = FENCE.exec(lines[at] ?? "") ?? [];
  const isEnd = (line: string) =>
    line.trim().startsWith(fence) && line.trim() === fence[0]?.repeat(line.trim().length);
  const [inside, end] = linesWhile(lines, at + 1, (line) => !isEnd(line));
  return [{ kind: "code", text: inside.join("\n"), language }, end + 1];
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
  const [, shift = "", , number] = ITEM.exec(lines[at] ?? "") ?? [];
  const ordered = number !== undefined;
  const isItem = (line: string) => {
    const [, indent = "", mark, digits] = ITEM.exec(line) ?? [];
    const isSame = ordered ? digits !== undefined : mark !== undefined;
    return isSame && indent.length <= shift.length + MAX_SHIFT;
  };
  const isInside = (line: string) => line.trim() === "" || /^\s{2,}/.test(line);
  const [inside, end] = linesWhile(lines, at, (line, index) => {
    const previous = lines[index - 1] ?? "";
    const isLazy = index > at && previous.trim() !== "" && !startsBlock(line);
    return isItem(line) || isInside(line) || isLazy;
  });
  const items: string[] = [];
  for (const line of inside) {
    if (isItem(line)) items.push(line.replace(ITEM, ""));
    else items.push(`${items.pop() ?? ""}\n${line.replace(/^ {1,4}/, "")}`);
  }
  return [{ kind: "list", ordered, first: Number(number ?? 1), items }, end];
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

const startsBlock = (line: string) =>
  line.trim() === "" || [FENCE, HEADING, RULE, QUOTE, ITEM].some((pattern) => pattern.test(line));

function paragraphAt(lines: readonly string[], at: number): Found {
  const [inside, end] = linesWhile(lines, at, (line, index) => index === at || !startsBlock(line));
  return [{ kind: "paragraph", text: inside.join("\n") }, end];
}
