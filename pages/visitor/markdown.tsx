import type { JSX } from "preact";
import { CopyButton } from "../shared/copy.tsx";
import { type Block, blocksOf } from "./blocks.ts";
import { inline } from "./inline.tsx";

/** Deeper lists and quotations are shown as text. */
const MAX_DEPTH = 8;
/** Headings of an answer stand below those of the page. */
const HEADINGS = ["h3", "h4", "h5", "h6", "h6", "h6"] as const;

interface MarkdownProps {
  readonly text: string;
  readonly depth?: number;
}

/** An answer. It is never read as HTML: every part becomes an element or text. */
export function Markdown({ text, depth = 0 }: MarkdownProps): JSX.Element {
  if (depth > MAX_DEPTH) return <>{text}</>;
  return <>{blocksOf(text).map((block) => write(block, depth))}</>;
}

function write(block: Block, depth: number) {
  switch (block.kind) {
    case "paragraph":
      return <p>{inline(block.text)}</p>;
    case "heading": {
      const Heading = HEADINGS[block.level - 1] ?? "h6";
      return <Heading>{inline(block.text)}</Heading>;
    }
    case "rule":
      return <hr />;
    case "code":
      return <Code text={block.text} />;
    case "quote":
      return (
        <blockquote>
          <Markdown text={block.text} depth={depth + 1} />
        </blockquote>
      );
    case "list":
      return <List {...block} depth={depth} />;
    case "table":
      return <Table {...block} />;
  }
}

function Code({ text }: { readonly text: string }) {
  return (
    <div class="code">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with keys */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
      <CopyButton text={() => text} />
    </div>
  );
}

type ListProps = Extract<Block, { kind: "list" }> & { readonly depth: number };

function List({ ordered, first, items, depth }: ListProps) {
  const inside = items.map((item) => (
    <li>{item.includes("\n") ? <Markdown text={item} depth={depth + 1} /> : inline(item)}</li>
  ));
  return ordered ? <ol start={first}>{inside}</ol> : <ul>{inside}</ul>;
}

function Table({ head, rows }: Extract<Block, { kind: "table" }>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with keys
    <div class="scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((cell) => (
              <th scope="col">{inline(cell)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells) => (
            <tr>
              {cells.map((cell) => (
                <td>{inline(cell)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
