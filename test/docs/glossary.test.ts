import { expect, test } from "vitest";
import { documentsOf, readDocument } from "../../scripts/docs/files.ts";
import { type Language, languages } from "../../src/locales.ts";
import { forbidden } from "./forbidden-words.ts";
import { proseOf } from "./markdown.ts";

/** The texts of a locale, one a line. */
function localeTexts(language: Language): string {
  const lines = readDocument(`locales/${language}.json`).split("\n");
  return lines.map((line) => line.replace(/^\s*"\w+": /, "")).join("\n");
}

function findings(text: string, words: readonly RegExp[]): string[] {
  const lines = text.split("\n");
  return words.flatMap((word) =>
    lines.filter((line) => word.test(line)).map((line) => `${word}: ${line.trim()}`),
  );
}

const texts = languages.flatMap((language) => [
  { path: `locales/${language}.json`, language, text: localeTexts(language) },
  ...documentsOf(language).map((path) => ({ path, language, text: proseOf(readDocument(path)) })),
]);

test.each(texts)("$path has the words of the glossary", ({ language, text }) => {
  expect(findings(text, forbidden[language])).toEqual([]);
});
