import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { memo } from "../shared/memo.tsx";
import type { Block } from "./blocks.ts";
import { Code } from "./code.tsx";
import { nothingRead, readMore } from "./growth.ts";
import { inline } from "./inline.tsx";

/** Deeper lists and quotations are shown as text. */
const MAX_DEPTH = 8;
/** Headings of an answer stand below those of the page. */
const HEADINGS = ["h3", "h4", "h5", "h6", "h6", "h6"] as const;

interface MarkdownProps {
  readonly text: string;
  /** Of the page: blocks have buttons. */
  readonly language: string;
  /** Whether more may come. */
  readonly isOpen: boolean;
  readonly depth?: number;
}

/** An answer. It is never read as HTML: every part becomes an element or text. */
export function Markdown({ text, language, isOpen, depth = 0 }: MarkdownProps): JSX.Element {
  const read = useRef(nothingRead);
  if (depth > MAX_DEPTH) return <>{text}</>;
  read.current = readMore(read.current, text.replaceAll("\r\n", "\n"));
  const { blocks } = read.current;
  return (
    <>
      {blocks.map((block, at) => {
        const mayGrow = isOpen && at === blocks.length - 1;
        return (
          <BlockView key={at} block={block} isOpen={mayGrow} language={language} depth={depth} />
        );
      })}
    </>
  );
}

interface BlockProps extends Required<Omit<MarkdownProps, "text">> {
  readonly block: Block;
}

const BlockView = memo(function BlockOf({ block, ...rest }: BlockProps) {
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
      return <Code text={block.text} name={block.language} isOpen={rest.isOpen} />;
    case "quote":
      return (
        <blockquote>
          <Markdown {...rest} text={block.text} depth={rest.depth + 1} />
        </blockquote>
      );
    case "list":
      return <List {...block} {...rest} />;
    case "table":
      return <Table {...block} />;
  }
});

type ListProps = Extract<Block, { kind: "list" }> & Omit<BlockProps, "block">;

function List({ ordered, first, items, isOpen, ...rest }: ListProps) {
  const inside = items.map((item, at) => {
    const mayGrow = isOpen && at === items.length - 1;
    return <Item key={at} text={item} isOpen={mayGrow} {...rest} />;
  });
  return ordered ? <ol start={first}>{inside}</ol> : <ul>{inside}</ul>;
}

const Item = memo(function ItemOf({ text, depth, ...rest }: Required<MarkdownProps>) {
  if (!text.includes("\n")) return <li>{inline(text)}</li>;
  return (
    <li>
      <Markdown {...rest} text={text} depth={depth + 1} />
    </li>
  );
});

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
          {rows.map((cells, at) => (
            <Row key={at} text={cells.join("\n")} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Cells hold no line breaks. */
const Row = memo(function RowOf({ text }: { readonly text: string }) {
  return (
    <tr>
      {text.split("\n").map((cell) => (
        <td>{inline(cell)}</td>
      ))}
    </tr>
  );
});
