/** Reading an answer while it arrives. */
import { expect, test } from "vitest";
import { blocksOf } from "../../../pages/visitor/blocks.ts";
import { nothingRead, readMore } from "../../../pages/visitor/growth.ts";

const PIECE = [
  "# A",
  "text",
  "--- and more",
  "",
  "---",
  "- a",
  "  - b",
  "",
  "  c",
  "1. d",
  "    ```",
  "      code",
  "    ```",
  "   - e",
  "> q",
  "> ```",
  "r",
  "",
  "```code``` in a line",
  "|a|b|",
  "|-|-|",
  "|1|2|",
  "",
  "```js",
  "# no",
  "",
  "```",
  "end",
  "",
].join("\n");
const TEXT = PIECE.repeat(3);

test.each([1, 2, 3, 7, 40])("a text in pieces of %d reads like the whole at each", (size) => {
  let read = nothingRead;
  for (let end = size; end < TEXT.length + size; end += size) {
    const text = TEXT.slice(0, end);
    read = readMore(read, text);
    expect(read.blocks, text).toEqual(blocksOf(text));
  }
});

test("another text is read anew", () => {
  const read = readMore(nothingRead, TEXT);
  expect(readMore(read, "- other").blocks).toEqual(blocksOf("- other"));
  expect(readMore(read, "").blocks).toEqual([]);
});

test("blocks before the end stay the same objects", () => {
  const before = readMore(nothingRead, TEXT);
  const after = readMore(before, `${TEXT}more`);
  const same = before.blocks.filter((block, at) => after.blocks[at] === block);
  expect(same).toHaveLength(before.blocks.length - 2);
});

test("a piece costs as much in a long answer as in a short one", () => {
  const charactersRead = (times: number) => {
    const text = PIECE.repeat(times);
    const { starts } = readMore(nothingRead, text);
    return text.length - (starts.at(-2) ?? 0);
  };
  expect(charactersRead(1_000)).toBe(charactersRead(10));
});
