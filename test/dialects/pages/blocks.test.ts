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
  const size = 8_000;
  test.each([
    ["spaces in a heading", `# ${" ".repeat(size)}x`],
    ["marks in a heading", `# ${"#".repeat(size)}x`],
    ["a rule that is none", `${"- ".repeat(size / 2)}x`],
    ["delimiters of a table", `a|b\n${"-|".repeat(size / 2)}x`],
    ["spaces in delimiters", `a|b\n-${" ".repeat(size)}x`],
    ["fences", "```\n".repeat(size / 4)],
    ["quotations", `${">".repeat(size)}x`],
    ["items", "- \n".repeat(size / 3)],
  ])("takes no longer than another: %s", (_what, hostile) => {
    const ordinary = "Some words of an answer.\n\n".repeat(size / 26);
    expect(
      timeRatio(
        () => blocksOf(hostile),
        () => blocksOf(ordinary),
      ),
    ).toBeLessThan(60);
  });
});
