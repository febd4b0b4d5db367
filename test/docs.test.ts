import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  envExample,
  markersOf,
  PARTS,
  readDocument,
  readmes,
  settingsTable,
  wantedDocuments,
} from "../scripts/docs.ts";
import { settings } from "../src/config/settings.ts";
import { languages } from "../src/locales.ts";

const english = readDocument(readmes.en);

/** Levels of the headings in their order, code blocks left out. */
function headingLevels(markdown: string): number[] {
  const prose = markdown.replaceAll(/^```[\s\S]*?^```$/gm, "");
  return [...prose.matchAll(/^(#+) /gm)].map(([, marks = ""]) => marks.length);
}

function codeBlocks(markdown: string): string[] {
  return [...markdown.matchAll(/^```[\s\S]*?^```$/gm)].map(([block]) => block);
}

/** What stands in backticks outside of code blocks: names, statuses, paths. */
function codeSpans(markdown: string): string[] {
  const prose = markdown.replaceAll(/^```[\s\S]*?^```$/gm, "");
  return [...new Set([...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span))].sort();
}

describe("generated texts", () => {
  test.each(wantedDocuments())(
    "$path says what the settings and the measurements say (npm run docs)",
    (wanted) => {
      expect(readDocument(wanted.path)).toBe(wanted.text);
    },
  );

  test.each(languages)("each marker stands once in the README of %s, in order", (language) => {
    const text = readDocument(readmes[language]);
    for (const { begin, end } of PARTS.map(markersOf)) {
      expect(text.split(begin)).toHaveLength(2);
      expect(text.split(end)).toHaveLength(2);
      expect(text.indexOf(begin)).toBeLessThan(text.indexOf(end));
    }
  });

  test.each(languages)("the table of %s has one row a setting", (language) => {
    const rows = [...settingsTable(language).matchAll(/^\| `([A-Z_]+)` \|/gm)];
    expect(rows.map(([, name]) => name)).toEqual(Object.keys(settings.shape));
  });

  test(".env.example names every setting and sets none", () => {
    const lines = envExample().split("\n");
    const named = lines.flatMap((line) => /^#([A-Z_]+)=/.exec(line)?.[1] ?? []);
    expect(named).toEqual(Object.keys(settings.shape));
    expect(lines.filter((line) => line !== "" && !line.startsWith("#"))).toEqual([]);
  });
});

describe("the four READMEs", () => {
  const others = languages.filter((language) => language !== "en");

  test("have something to compare", () => {
    expect(headingLevels(english).length).toBeGreaterThan(10);
    expect(codeBlocks(english).length).toBeGreaterThan(5);
  });

  test.each(others)("%s has the headings of English", (language) => {
    expect(headingLevels(readDocument(readmes[language]))).toEqual(headingLevels(english));
  });

  test.each(others)("%s has the code of English", (language) => {
    expect(codeBlocks(readDocument(readmes[language]))).toEqual(codeBlocks(english));
  });

  test.each(others)("%s speaks of the names that English speaks of", (language) => {
    expect(codeSpans(readDocument(readmes[language]))).toEqual(codeSpans(english));
  });

  test.each(languages)("%s links to the other three and to files that exist", (language) => {
    const text = readDocument(readmes[language]);
    const targets = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, target = ""]) => target);
    const others = languages.filter((one) => one !== language).map((one) => readmes[one]);
    expect(targets.filter((target) => /^README/.test(target)).sort()).toEqual(others.sort());
    const missing = targets.filter(
      (target) => !existsSync(fileURLToPath(new URL(`../${target}`, import.meta.url))),
    );
    expect(missing).toEqual([]);
  });
});
