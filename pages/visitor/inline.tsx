import type { ComponentChildren } from "preact";

/** A code span, a link or picture, a bare address, or emphasis: whichever comes first. */
const INLINE =
  /(`+)([^`]|[^`][\s\S]{0,2000}?[^`])\1(?!`)|!?\[((?:[^[\]\\]|\\.){0,500})\]\(<?([^\s()<>]{1,2000})>?(?:\s+"[^"]{0,200}")?\)|<?(https?:\/\/[^\s<>"'`]{1,2000})>?|(\*\*|__)(?=\S)([\s\S]{1,2000}?\S)\6|(\*|_)(?=\S)([^*_]{1,2000}?\S|\S)\8(?![\w*])|~~(?=\S)([\s\S]{1,2000}?\S)~~|\\([\\`*_{}[\]()#+\-.!~>|])/;
const ADDRESS = /^(?:https?:\/\/|mailto:)/i;
/** Deeper emphasis is shown as it is written. */
const MAX_DEPTH = 6;
/** A longer paragraph has no markup: while it grows, it would be read anew with each piece. */
const MAX_MARKED = 10_000;

/** Text of a line or paragraph. Everything becomes elements or text, so nothing can be HTML. */
export function inline(text: string, depth = 0): ComponentChildren[] {
  if (text.length > MAX_MARKED) return [text];
  const parts: ComponentChildren[] = [];
  let rest = text;
  while (rest !== "") {
    const found = depth < MAX_DEPTH ? INLINE.exec(rest) : null;
    if (found === null) break;
    parts.push(rest.slice(0, found.index), element(found, depth));
    rest = rest.slice(found.index + found[0].length);
  }
  parts.push(rest);
  return parts;
}

function element(found: RegExpExecArray, depth: number): ComponentChildren {
  const [all, , code, label, target, bare, , strong, , emphasis, struck, escaped] = found;
  if (code !== undefined) return <code>{code.trim()}</code>;
  if (target !== undefined) return link(target, label || target, all, depth);
  if (bare !== undefined) return bareLink(bare);
  if (strong !== undefined) return <strong>{inline(strong, depth + 1)}</strong>;
  if (emphasis !== undefined) return <em>{inline(emphasis, depth + 1)}</em>;
  if (struck !== undefined) return <s>{inline(struck, depth + 1)}</s>;
  return escaped ?? all;
}

/** Pictures are links, too: nothing is loaded from elsewhere. */
function link(target: string, label: string, written: string, depth: number): ComponentChildren {
  if (!ADDRESS.test(target)) return written;
  return <Anchor href={target}>{inline(label, MAX_DEPTH - 1 + Math.min(depth, 1))}</Anchor>;
}

/** What ends a sentence is not a part of the address before it. */
function bareLink(written: string): ComponentChildren {
  const [end = ""] = /[.,:;!?)\]。，、）]+$/.exec(written) ?? [];
  const address = written.slice(0, written.length - end.length);
  return [<Anchor href={address}>{address}</Anchor>, end];
}

function Anchor({
  href,
  children,
}: {
  readonly href: string;
  readonly children: ComponentChildren;
}) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}
