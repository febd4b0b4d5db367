import type { ComponentChildren } from "preact";
import { type Span, spansOf } from "./spans.ts";

/** Deeper emphasis is shown as it is written. */
const MAX_DEPTH = 6;
/** A longer paragraph has no markup: while it grows, it would be read anew with each piece. */
const MAX_MARKED = 10_000;

/** Text of a line or paragraph. Everything becomes elements or text, so nothing can be HTML. */
export function inline(text: string): ComponentChildren {
  return text.length > MAX_MARKED ? text : elements(spansOf(text), 0);
}

function elements(spans: readonly Span[], depth: number): ComponentChildren[] {
  return spans.map((span) => (typeof span === "string" ? span : element(span, depth)));
}

function element(span: Exclude<Span, string>, depth: number): ComponentChildren {
  if (span.kind === "break") return <br />;
  if (span.kind === "code") return <code>{span.text}</code>;
  if (span.kind === "link") return <Anchor href={span.href}>{elements(span.inside, depth)}</Anchor>;
  if (depth >= MAX_DEPTH) return span.source;
  const Emphasis = span.kind;
  return <Emphasis>{elements(span.inside, depth + 1)}</Emphasis>;
}

/** Pictures are links, too: nothing is loaded from elsewhere. */
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
