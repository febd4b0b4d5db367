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

/** Lists as they are shown, each item with the blocks inside it. */
const outline = (markdown: string): unknown =>
  blocksOf(markdown).map((block) => {
    if (block.kind === "list") return block.items.map(outline);
    return block.kind === "paragraph" ? block.text : block;
  });
const code = (text: string, language = "") => ({ kind: "code", text, language });

describe("what stands inside an item", () => {
  test.each([
    [
      "- C:\n\n  ```yaml\n  services:\n    web:\n      image: x\n  ```",
      [["C:", code("services:\n  web:\n    image: x", "yaml")]],
    ],
    [
      "1. P:\n   ```py\n   def f():\n       if x:\n           y\n   ```\n2. Q",
      [["P:", code("def f():\n    if x:\n        y", "py")], ["Q"]],
    ],
    ["10. P:\n\n    ```\n    a\n      b\n    ```", [["P:", code("a\n  b")]]],
    ["1. P:\n\n     ```\n     a\n       b\n     ```", [["P:", code("a\n  b")]]],
    ["- P:\n\n\t```go\n\tif x {\n\t\ty\n\t}\n\t```", [["P:", code("if x {\n\ty\n}", "go")]]],
    ["- ```\n  a\n    b\n  ```", [[code("a\n  b")]]],
    ["- P:\n\n  ```\n  a\n\n    - b\n  ```", [["P:", code("a\n\n  - b")]]],
  ])("keeps its own indentation: %j", (markdown, items) => {
    expect(outline(markdown)).toEqual([items]);
  });

  test.each([
    "- a\n  - b\n    - c\n  - d\n- e",
    "- a\n    - b\n        - c\n    - d\n- e",
    "- a\n\t- b\n\t\t- c\n\t- d\n- e",
    "-   a\n    -   b\n        -   c\n    -   d\n-   e",
    "1. a\n   - b\n     - c\n   - d\n2. e",
    "1. a\n  - b\n    - c\n  - d\n2. e",
    "1. a\n    - b\n        - c\n    - d\n2. e",
    "1. a\n       - b\n           - c\n       - d\n2. e",
    "- a\n  1. b\n     1. c\n  2. d\n- e",
    " - a\n   - b\n     - c\n   - d\n - e",
  ])("nests as deep as it is written: %j", (markdown) => {
    expect(outline(markdown)).toEqual([[["a", [["b", [["c"]]], ["d"]]], ["e"]]]);
  });
});

test.each([
  ["```npm install```\nThen", ["```npm install```\nThen"]],
  ["Run\n```npm install```\nThen", ["Run\n```npm install```\nThen"]],
  ["~~~ a`b\nx\n~~~", [code("x", "a")]],
  ["  ```\n  a\n    b\n  ```", [code("a\n  b")]],
])("an info string of a fence has no backticks: %j", (markdown, blocks) => {
  expect(outline(markdown)).toEqual(blocks);
});

test.each([
  ["Text:\n|a|b|\n|-|-|\n|1|2|", ["paragraph", "table"]],
  ["Text:\nmore\na | b\n--- | ---\n1 | 2\n\nend", ["paragraph", "table", "paragraph"]],
  ["- item\n|a|\n|-|\n|1|", ["list", "table"]],
  ["a | b\n---\nc", ["paragraph", "rule", "paragraph"]],
])("a table may follow a line of text: %j", (markdown, expected) => {
  expect(kinds(markdown)).toEqual(expected);
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
    ["backticks that are no fence", (size) => `${"`".repeat(size)}x\``],
    ["heads of tables", (size) => "a|b\n".repeat(size / 4)],
    ["deep indentation", (size) => `- a\n${" \t".repeat(size / 2)}- b`],
    ["items further and further in", (size) => "- ".repeat(size / 2)],
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
