import { posix } from "node:path";

const BLOCK = /^ *```[\s\S]*?^ *```$/gm;

export function withoutCodeBlocks(markdown: string): string {
  return markdown.replaceAll(BLOCK, "");
}

/** Without code blocks, code in backticks, link targets and comments: what people read. */
export function proseOf(markdown: string): string {
  return withoutCodeBlocks(markdown)
    .replaceAll(/<!--.*?-->/g, "")
    .replaceAll(/`[^`\n]+`/g, "")
    .replaceAll(/\]\([^)]*\)/g, "]");
}

export function codeBlocks(markdown: string): string[] {
  return [...markdown.matchAll(BLOCK)].map(([block]) => block);
}

/** Code in backticks outside code blocks, each once. */
export function codeSpans(markdown: string): string[] {
  const spans = withoutCodeBlocks(markdown).matchAll(/`([^`\n]+)`/g);
  return [...new Set([...spans].map(([, span = ""]) => span))].sort();
}

/** The comments that mark generated parts and samples. */
export function markersIn(markdown: string): string[] {
  return [...markdown.matchAll(/<!-- .*? -->/g)].map(([marker]) => marker);
}

export function headings(markdown: string): { level: number; text: string }[] {
  const found = withoutCodeBlocks(markdown).matchAll(/^(#+) (.*)$/gm);
  return [...found].map(([, marks = "", text = ""]) => ({ level: marks.length, text }));
}

/** The anchors of a page by GitHub's rule; a repeated heading gets a number. */
export function anchors(markdown: string): string[] {
  const seen = new Map<string, number>();
  return headings(markdown).map(({ text }) => {
    const slug = text
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
      .replaceAll(" ", "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** Targets of links and images, as written. */
export function links(markdown: string): string[] {
  const found = withoutCodeBlocks(markdown).matchAll(/\]\(([^)\s]+)\)/g);
  return [...found].map(([, target = ""]) => target);
}

/** The file and the anchor a link leads to, from the project's folder; null for other sites. */
export function resolved(from: string, target: string): { path: string; anchor: string } | null {
  if (/^[a-z]+:/.test(target)) return null;
  const [path = "", anchor = ""] = target.split("#");
  const file = path === "" ? from : posix.join(posix.dirname(from), path);
  return { path: file, anchor: decodeURIComponent(anchor) };
}

/** A string literal, which may be translated, or a comment, which is not compared. */
const LITERAL_OR_COMMENT =
  /"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|(?<=^|\s)(?:#|\/\/) [^\n]*/gm;

/** Code with the literals taken out, and the literals in order. */
export function splitCode(block: string): { code: string; literals: string[] } {
  const literals: string[] = [];
  // The backticks of a fence are no template literal.
  const code = block.replaceAll("```", "").replaceAll(LITERAL_OR_COMMENT, (found) => {
    if (/^(#|\/\/|\/\*)/.test(found)) return "";
    literals.push(found);
    return '""';
  });
  return { code, literals };
}
