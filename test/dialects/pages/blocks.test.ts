/** How the Markdown of an answer is taken apart. */
import { describe, expect, test } from "vitest";
import { blocksOf } from "../../../pages/visitor/blocks.ts";
import { timeRatio } from "../../support/timing.ts";

const kinds = (markdown: string) => blocksOf(markdown).map(({ kind }) => kind);

test("blocks are found in their order", () => {
  const markdown =
    "# A\ntext\nmore\n\n- a\n- b\n\n> q\n\n---\n\n|a|b|\n|-|-|\n|1|2|\n\n```\n# no\n```\nend";
  expect(kinds(markdown)).toEqual([
    "heading",
    "paragraph",
    "list",
    "quote",
    "rule",
    "table",
    "code",
    "paragraph",
  ]);
});

test.each([
  ["## Title ##", { kind: "heading", level: 2, text: "Title" }],
  ["# C#", { kind: "heading", level: 1, text: "C#" }],
  ["```js\nlet a;", { kind: "code", text: "let a;", language: "js" }],
  ["~~~\n```\n~~~", { kind: "code", text: "```", language: "" }],
  ["3. c\n4. d", { kind: "list", ordered: true, first: 3, items: ["c", "d"] }],
  ["- a\n  - b\n- c", { kind: "list", ordered: false, first: 1, items: ["a\n- b", "c"] }],
  ["|a\\|b|c|\n|-|:-:|\n|1|2|", { kind: "table", head: ["a|b", "c"], rows: [["1", "2"]] }],
])("%j", (markdown, block) => {
  expect(blocksOf(markdown)).toEqual([block]);
});

describe("an answer that is made to be slow", () => {
  const [less, more] = [2_000, 64_000];
  test.each<[string, (size: number) => string]>([
    ["spaces in a heading", (size) => `# ${" ".repeat(size)}x`],
    ["marks in a heading", (size) => `# ${"#".repeat(size)}x`],
    ["a rule that is none", (size) => `${"- ".repeat(size / 2)}x`],
    ["delimiters of a table", (size) => `a|b\n${"-|".repeat(size / 2)}x`],
    ["spaces in delimiters", (size) => `a|b\n-${" ".repeat(size)}x`],
    ["fences", (size) => "```\n".repeat(size / 4)],
    ["quotations", (size) => `${">".repeat(size)}x`],
    ["items", (size) => "- \n".repeat(size / 3)],
  ])("takes time in proportion to its length: %s", (_what, hostile) => {
    const [long, short] = [hostile(more), hostile(less)];
    const inProportion = timeRatio(
      () => blocksOf(long),
      () => blocksOf(short),
    );
    expect(inProportion).toBeLessThan((8 * more) / less);
  });
});
