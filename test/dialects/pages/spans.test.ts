/** How a line of an answer is taken apart. */
import { describe, expect, test } from "vitest";
import { type Span, spansOf } from "../../../pages/visitor/spans.ts";
import { timeRatio } from "../../support/timing.ts";
import { vectors } from "../../support/xss.ts";

/** Spans in the notation of HTML. */
const shown = (spans: readonly Span[]): string => spans.map(shownSpan).join("");

function shownSpan(span: Span): string {
  if (typeof span === "string") return span;
  if (span.kind === "break") return "<br>";
  if (span.kind === "code") return `<code>${span.text}</code>`;
  if (span.kind === "link") return `<a ${span.href}>${shown(span.inside)}</a>`;
  return `<${span.kind}>${shown(span.inside)}</${span.kind}>`;
}

const bare = (address: string) => `<a ${address}>${address}</a>`;

describe("emphasis", () => {
  test.each([
    ["**B**", "<strong>B</strong>"],
    ["**我**", "<strong>我</strong>"],
    ["**a**: b", "<strong>a</strong>: b"],
    ["**A** and **B**", "<strong>A</strong> and <strong>B</strong>"],
    ["~~A~~ and ~~B~~", "<s>A</s> and <s>B</s>"],
    ["__A__ and _B_", "<strong>A</strong> and <em>B</em>"],
    ["***x***", "<em><strong>x</strong></em>"],
    ["*it with **b** in*", "<em>it with <strong>b</strong> in</em>"],
    ["*it with **b***", "<em>it with <strong>b</strong></em>"],
    ["**b with *it***", "<strong>b with <em>it</em></strong>"],
    ["***b** it*", "<em><strong>b</strong> it</em>"],
    ["(***x***)", "(<em><strong>x</strong></em>)"],
    ["**~~x~~ _y_ `z`**", "<strong><s>x</s> <em>y</em> <code>z</code></strong>"],
    ["*use some_var*", "<em>use some_var</em>"],
    ["**a*b**", "<strong>a*b</strong>"],
    ["*a `b*` c*", "<em>a <code>b*</code> c</em>"],
    ["**over\ntwo lines**", "<strong>over\ntwo lines</strong>"],
  ])("is found: %j", (text, expected) => {
    expect(shown(spansOf(text))).toBe(expected);
  });

  test.each([
    ["这是**重点**内容", "这是<strong>重点</strong>内容"],
    ["**重点：**内容", "<strong>重点：</strong>内容"],
    ["他说**“好”**然后", "他说<strong>“好”</strong>然后"],
    ["**Note:**text", "<strong>Note:</strong>text"],
    ["这是_重点_内容", "这是<em>重点</em>内容"],
    ["**ge**macht und un**ge**macht", "<strong>ge</strong>macht und un<strong>ge</strong>macht"],
    ["это **важно**!", "это <strong>важно</strong>!"],
    ["🎉**x**🎉", "🎉<strong>x</strong>🎉"],
  ])("stands where words do in each language: %j", (text, expected) => {
    expect(shown(spansOf(text))).toBe(expected);
  });

  test.each([
    "user__name and user__age",
    "snake_case_name and other_name_",
    "имя_поля и имя_другое",
    "变量my_var和your_var",
    "2 * 3 * 4",
    "2*3*4 and x*y*z",
    "x**2 + y**2 = 3**2",
    "a ** b ** c",
    "from 5*, and 6*, and",
    "~5 and ~6, ~~~x~~~",
    "**open",
    "closed**",
    "****",
  ])("is none: %j", (text) => {
    expect(shown(spansOf(text))).toBe(text);
  });

  test("has its source, for where it is too deep to be shown", () => {
    const [, span] = spansOf("a **b *c* d** e");
    expect(span).toMatchObject({ source: "**b *c* d**" });
  });
});

test.each([
  ["costs \\$5, \\*not\\*", "costs $5, *not*"],
  ["C:\\dir \\", "C:\\dir \\"],
  ["f(x)\\,dx, 5\\%", "f(x)\\,dx, 5%"],
  ["`\\$` and ``a ` b``", "<code>\\$</code> and <code>a ` b</code>"],
  ["one  \ntwo\\\nthree\nfour", "one<br>two<br>three\nfour"],
  ["a<br>b<br/>c<BR />d", "a<br>b<br>c<br>d"],
  ["`<br>` <brx> <br class=x>", "<code><br></code> <brx> <br class=x>"],
])("escapes and breaks: %j", (text, expected) => {
  expect(shown(spansOf(text))).toBe(expected);
});

describe("a link", () => {
  const foo = "https://x.example/Foo_(bar)";
  test.each([
    [`[Foo](${foo})`, `<a ${foo}>Foo</a>`],
    [`[*Foo* bar](<${foo}> "title").`, `<a ${foo}><em>Foo</em> bar</a>.`],
    [`([Foo](${foo}))`, `(<a ${foo}>Foo</a>)`],
    ["![p](https://x.example/p.png)", "<a https://x.example/p.png>p</a>"],
    ["[https://x.example](https://y.example)", "<a https://y.example>https://x.example</a>"],
    ["see [[1]](https://y.example)", "see <a https://y.example>[1]</a>"],
    ["[](mailto:a@x.example)", "<a mailto:a@x.example>mailto:a@x.example</a>"],
    ["**[a](https://x.example)**", "<strong><a https://x.example>a</a></strong>"],
    ["[a](javascript:alert(1)) [b](/c) [d]", "[a](javascript:alert(1)) [b](/c) [d]"],
  ])("is found: %j", (text, expected) => {
    expect(shown(spansOf(text))).toBe(expected);
  });

  test.each([
    ["请访问", "https://example.com/a", "，然后点击确定。"],
    ["参考（", "https://example.com/b", "）即可。"],
    ["见", "https://example.com/c", "的说明"],
    ["「", "https://example.com/d", "」と書く"],
    ["", "https://example.com/e", "를 보세요"],
    ["См. «", "https://пример.рф/страница", "»."],
    ["(see ", "https://example.com/f?g=h&i=j#k", ")."],
    ["(see ", foo, "), and"],
    ["", foo, ""],
    ["", "http://[::1]:8080/x_y-z", "~, ok"],
    ["a ", "https://example.com/~user/my_file", "…"],
  ])("is an address alone, without what surrounds it: %j %j %j", (before, address, after) => {
    expect(shown(spansOf(before + address + after))).toBe(before + bare(address) + after);
  });

  test.each([
    ["**https://example.com/a**", `<strong>${bare("https://example.com/a")}</strong>`],
    ["_https://example.com/a_", `<em>${bare("https://example.com/a")}</em>`],
    ["~~https://example.com/a~~", `<s>${bare("https://example.com/a")}</s>`],
    ["<https://example.com/中文>", bare("https://example.com/中文")],
    ["https://... http://", "https://... http://"],
  ])("is an address alone: %j", (text, expected) => {
    expect(shown(spansOf(text))).toBe(expected);
  });

  test.each(vectors)("leads nowhere else: %j", (text) => {
    const hrefs = JSON.stringify(spansOf(text)).match(/(?<="href":")[^"]*/g) ?? [];
    for (const href of hrefs) expect(href).toMatch(/^(?:https?|mailto):/i);
  });
});

describe("a line that is made to be slow", () => {
  const [less, more] = [2_000, 64_000];
  test.each([
    "*",
    "**a",
    "a**",
    "*a_",
    "_a*b~~",
    "*a **b ",
    "a*b**c",
    "`",
    "`` a ` ",
    "[",
    "[a](",
    "[[a]",
    "[a][",
    "[](a",
    "[](((",
    "[a](https://x.example/(a)",
    "https://x.example/",
    "https://x.example/)))",
    "https://x.example/a)b.c.",
    "<https://",
    " ",
    "\\",
    "\\ ",
    "<br",
  ])("takes time in proportion to its length: %j", (part) => {
    const [short, long] = [less, more].map((size) => part.repeat(size / part.length));
    const inProportion = timeRatio(
      () => spansOf(long ?? ""),
      () => spansOf(short ?? ""),
    );
    // a square would take 32 times the proportion; collecting garbage takes several on a busy machine
    expect(inProportion).toBeLessThan((16 * more) / less);
  });

  test("may be as deep as it wants", () => {
    const deep = `${"*a _b ".repeat(5_000)}${"c_ d*".repeat(5_000)}`;
    expect(spansOf(deep).length).toBeGreaterThan(0);
  });
});
