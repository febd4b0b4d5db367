import { describe, expect, test } from "vitest";
import { documentsOf, pagesOf, readDocument } from "../../scripts/docs/files.ts";
import { languages } from "../../src/locales.ts";
import {
  codeBlocks,
  codeSpans,
  headings,
  links,
  markersIn,
  resolved,
  splitCode,
} from "./markdown.ts";

const translations = languages.filter((language) => language !== "en");

/** The same for all languages: without the language in the path, and without the anchor. */
function comparableLinks(path: string, markdown: string): string[] {
  return links(markdown)
    .map((target) => {
      const to = resolved(path, target)?.path ?? target;
      return to.replace(/^docs\/\w+\//, "docs/").replace(/[-.](zh_CN|zh_TW|ru_RU)\b/, "");
    })
    .sort();
}

test.each(translations)("%s has the pages of English", (language) => {
  expect(pagesOf(language)).toEqual(pagesOf("en"));
});

const pairs = translations.flatMap((language) =>
  documentsOf("en").map((english, at) => {
    const name = english.replace("docs/en/", "");
    const path = at === 0 ? `README-${language}.md` : `docs/${language}/${name}`;
    return { path, english };
  }),
);

/** The command's help is in the language of the page. */
const HELP = /<!-- cli:begin -->[\s\S]*<!-- cli:end -->/;

describe.each(pairs)("$path", ({ path, english }) => {
  const texts = () => [readDocument(path), readDocument(english)] as const;

  test("has the headings, markers and names of English", () => {
    const [translated, original] = texts();
    const levels = (text: string) => headings(text).map(({ level }) => level);
    expect(levels(translated)).toEqual(levels(original));
    expect(markersIn(translated)).toEqual(markersIn(original));
    expect(codeSpans(translated)).toEqual(codeSpans(original));
  });

  test("has the code of English, with strings in its own language at most", () => {
    const [translated, original] = texts().map((text) =>
      codeBlocks(text.replace(HELP, "")).map(splitCode),
    );
    expect(translated?.map(({ code }) => code)).toEqual(original?.map(({ code }) => code));
    const expected = original?.flatMap(({ literals }) => literals) ?? [];
    const found = translated?.flatMap(({ literals }) => literals) ?? [];
    expect(found).toHaveLength(expected.length);
    for (const [at, literal] of found.entries()) {
      if (!/[^\p{ASCII}]/u.test(literal)) expect(literal).toBe(expected[at]);
    }
  });

  test("links to what English links to, in its own language", () => {
    const [translated, original] = texts();
    expect(comparableLinks(path, translated)).toEqual(comparableLinks(english, original));
    const toEnglish = links(translated)
      .map((target) => resolved(path, target)?.path ?? "")
      .filter((to) => /^docs\/en\//.test(to));
    const isIndex = path.endsWith("/README.md");
    expect(toEnglish).toEqual(isIndex ? ["docs/en/README.md"] : []);
  });
});
